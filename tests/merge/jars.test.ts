// Racing writes and logouts through the whole engine and tough-cookie's jar, in short.
import { expect, test } from "vitest";
import { race } from "../../trials/merge/jars.ts";
import { SeededRandom } from "../../trials/fuzz/random.ts";

const dice = new SeededRandom(Number(process.env["FC_SEED"] ?? 42));
const random = (): number => dice.below(1_000_000) / 1_000_000;

test("of racing writes none is lost, and two quiet writes bring the cookies down", async () => {
  const result = await race({ writes: 400, atOnce: 8, ballast: 100, logout: false, random });
  expect(result).toMatchObject({ lost: 0, mostCookies: 9, afterTwo: 2 });
  expect(result.mostBytes).toBeLessThanOrEqual(8192);
});

test("logouts among racing writes are final in the browser", async () => {
  const result = await race({ writes: 400, atOnce: 8, ballast: 100, logout: true, random });
  expect(result.resurrected).toBe(0);
});
