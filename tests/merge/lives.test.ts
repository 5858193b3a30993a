// Hundreds of sessions of one browser after each other, seeded (`npm run model` has more of them): each
// login works however the sessions before it ended, and the jar stays small.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { livesKinds, livesOf, runLives } from "../../trials/merge/model/lives.ts";

const numRuns = Math.ceil(Number(process.env["FC_RUNS"] ?? 60) / 20);
const seed = Number(process.env["FC_SEED"] ?? 42);
const LIVES = 130;

describe.each(livesKinds)("$name", (kind) => {
  test("130 lives of all kinds of ends", async () => {
    const property = fc.asyncProperty(livesOf(LIVES), async (lives) => {
      expect((await runLives(lives, kind)).faults).toEqual([]);
    });
    await fc.assert(property, { seed, numRuns, endOnFailure: true });
  });

  test("130 logins of which each session ends by itself leave a cookie or two", async () => {
    const life = { end: "expires", writes: 0, burst: 0, ahead: 0, large: true } as const;
    const outcome = await runLives(
      Array.from({ length: LIVES }, () => life),
      kind,
    );
    expect(outcome.faults).toEqual([]);
    expect(outcome.mostCookies).toBeLessThanOrEqual(kind.maxCookies > 1 ? 2 : 1);
  });
});
