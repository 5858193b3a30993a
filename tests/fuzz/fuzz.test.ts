// A bounded, seeded run of what `npm run fuzz` does a million times; and the fuzzer itself, which
// must find what is planted between the input and the library.
import { SessionCookieStore, SessionMemoryStore } from "kocha-session";
import { describe, expect, test } from "vitest";
import { headerSubject, type HeaderOptions, type Pair } from "../../trials/fuzz/headers.ts";
import { SeededRandom } from "../../trials/fuzz/random.ts";
import { fuzz, newKey, newKeys, type Subject } from "../../trials/fuzz/subject.ts";
import { makeSubjects } from "../../trials/fuzz/subjects.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);

describe("hostile input through open", async () => {
  const subjects = await makeSubjects();

  test.each(subjects)("$name: nothing throws, nothing forged is accepted", async (subject) => {
    const tallies = await fuzz([subject], new SeededRandom(seed), 2000);
    const { accepted, refused } = tallies.get(subject.name) ?? { accepted: 0, refused: 0 };
    expect(accepted).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(20);
  });
});

describe("a planted bug", () => {
  const split = { config: {}, isSplit: true };
  const find = async (more: Partial<HeaderOptions>): Promise<void> => {
    const store = new SessionCookieStore({ ...newKeys(), maxCookies: 4 });
    const subject = await headerSubject("planted", { ...split, config: { store }, ...more });
    await fuzz([subject], new SeededRandom(seed), 6000);
  };
  /** Reads the header's cookies as somebody careless would, into what the real engine takes. */
  const mending =
    (mend: (pair: Pair, real: readonly Pair[]) => Pair): NonNullable<HeaderOptions["plant"]> =>
    (open, real) =>
    (header) => {
      const pairs = header.split(";").map((part): Pair => {
        const equals = part.indexOf("=");
        return [part.slice(0, Math.max(equals, 0)).trim(), part.slice(equals + 1).trim()];
      });
      return open(pairs.map((pair) => mend(pair, real).join("=")).join("; "));
    };

  test.each<[string, Partial<HeaderOptions>]>([
    [
      "a tag of which only the first half counts",
      {
        plant: mending(([name, value], real) => {
          const near = real.find(
            ([own, token]) =>
              own === name &&
              value.length === token.length &&
              value.slice(0, -10) === token.slice(0, -10),
          );
          return near ?? [name, value];
        }),
      },
    ],
    [
      "a cookie's name that isn't sealed with it",
      {
        plant: mending(
          ([name, value], real) => real.find(([, token]) => token === value) ?? [name, value],
        ),
      },
    ],
    [
      "characters behind the token that are overlooked",
      {
        plant: mending(
          ([name, value], real) =>
            real.find(([own, token]) => own === name && value.startsWith(token)) ?? [name, value],
        ),
      },
    ],
    [
      "a name compared without its case",
      { plant: mending(([name, value]) => [name.toLowerCase(), value]) },
    ],
    [
      "a piece of a session that stands in for one that is missing",
      {
        plant: (open, real) => async (header) => {
          const isHere = (pair: Pair | undefined): boolean =>
            pair !== undefined && pair[0].includes(".split") && header.includes(pair[1]);
          // The pieces of one session stand beside each other.
          const missing = real.filter(
            (pair, at) =>
              pair[0].includes(".split") &&
              !isHere(pair) &&
              (isHere(real[at - 1]) || isHere(real[at + 1])),
          );
          return open([header, ...missing.map((pair) => pair.join("="))].join("; "));
        },
      },
    ],
    [
      "a cookie that throws",
      {
        plant: (open) => async (header) => {
          decodeURIComponent(header);
          return open(header);
        },
      },
    ],
    [
      "tickets of a server-side store whose generation isn't signed",
      {
        config: { store: new SessionMemoryStore(), signingKey: newKey() },
        isSplit: false,
        plant: mending(
          ([name, value], real) =>
            real.find(
              ([own, token]) => own === name && token.slice(0, 28) === value.slice(0, 28),
            ) ?? [name, value],
        ),
      },
    ],
  ])("is found: %s", async (_, more) => {
    await expect(find(more)).rejects.toThrow(/planted, input \d+: (accepted what|it threw)/);
  });

  test("is found only where it is: the same run without one finds nothing", async () => {
    await expect(find({})).resolves.toBeUndefined();
  });

  test("is told: a subject that accepts what it shouldn't, or throws", async () => {
    const faulty = (run: Subject["run"]): Subject => ({ name: "faulty", run });
    const wrong = faulty(async () => ({ fault: "accepted" }));
    await expect(fuzz([wrong], new SeededRandom(seed), 1)).rejects.toThrow(
      "faulty, input 0: accepted",
    );
    const throwing = faulty(async () => {
      throw new Error("boom");
    });
    await expect(fuzz([throwing], new SeededRandom(seed), 1)).rejects.toThrow("it threw");
  });
});
