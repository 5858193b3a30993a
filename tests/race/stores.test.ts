// Small races on the real thing: server processes over HTTP. Here run the two that need no server of
// their own; `npm run race` runs the others, and `npm run race -- --store X` a full one, whose last
// result is in docs/results/race.md.
import { expect, test } from "vitest";
import { raceBriefly } from "../../trials/race/brief.ts";

const seed = Number(process.env["RACE_SEED"] ?? 42);

test("a store that claims the laws keeps them: sqlite", { timeout: 60_000 }, async () => {
  expect(await raceBriefly("sqlite", seed)).toEqual([]);
});

test(
  "a store that is known to race is convicted: express-session on memorystore",
  { timeout: 120_000 },
  async () => {
    expect(await raceBriefly("express-session+memorystore", seed, ["L1 lost update"])).toEqual([]);
  },
);
