// A small race on the real thing: server processes over HTTP. `npm run race` runs one on each store, also
// on those that are known to race, and `npm run race -- --store X` a full one, whose last
// result is in docs/results/race.md.
import { expect, test } from "vitest";
import { raceBriefly } from "../../trials/race/brief.ts";

const seed = Number(process.env["RACE_SEED"] ?? 42);

test("a store that claims the laws keeps them: sqlite", { timeout: 60_000 }, async () => {
  expect(await raceBriefly("sqlite", seed)).toEqual([]);
});
