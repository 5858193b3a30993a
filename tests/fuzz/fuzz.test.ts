// A bounded, seeded run of what `npm run fuzz` does a million times.
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../fuzz/random.ts";
import { fuzz, makeSubjects, type Subject } from "../../fuzz/subjects.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);

describe("hostile input through open", async () => {
  const subjects = await makeSubjects();

  test.each(subjects)("$name: nothing throws, nothing forged is accepted", async (subject) => {
    await expect(fuzz([subject], new SeededRandom(seed), 3000)).resolves.toBeUndefined();
  });

  test("a subject that accepts what it shouldn't, or throws, is told", async () => {
    const faulty = (run: Subject["run"]): Subject => ({ name: "faulty", run });
    const wrong = faulty(async () => "accepted");
    await expect(fuzz([wrong], new SeededRandom(seed), 1)).rejects.toThrow(
      "faulty, input 0: accepted",
    );
    const throwing = faulty(async () => {
      throw new Error("boom");
    });
    await expect(fuzz([throwing], new SeededRandom(seed), 1)).rejects.toThrow("it threw");
  });
});
