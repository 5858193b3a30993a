// Law L5: reads don't write; renewal is throttled, and never shortens.
import { type ConformanceCase, mustEqual } from "../case.ts";
import { HOUR, type LawSetting } from "./stage.ts";

/** Its cases. */
export function readCases({
  define,
  options: { clock },
  applies: { timed },
}: LawSetting): ConformanceCase[] {
  return [
    define(
      "L5 reads: a request that only reads changes and sends nothing",
      true,
      async ({ client, spy }) => {
        await client.get("/set/a/1");
        const saves = spy?.saves;
        for (const path of ["/get/a", "/dump", "/size", "/id", "/get/nowhere"]) {
          mustEqual((await client.get(path)).setCookie, [], `the cookies of ${path}`);
        }
        mustEqual(spy?.saves, saves, "how often the store was asked to save");
      },
    ),
    define("L5 renewal: it is throttled, sent, and never shortens", timed, async ({ client }) => {
      await client.get("/set/a/1");
      await clock.advance(HOUR);
      mustEqual(
        (await client.get("/get/a")).setCookie,
        [],
        "the cookies of a read after a 24th of the window",
      );
      await clock.advance(3 * HOUR);
      mustEqual(
        (await client.get("/status/200")).setCookie,
        [],
        "the cookies of a request that doesn't look",
      );
      mustEqual(
        (await client.get("/get/a")).setCookie.length,
        1,
        "how many a read sends after a sixth of it",
      );
      await clock.advance(22 * HOUR);
      mustEqual((await client.get("/get/a")).body, "1", "what is read within the renewed window");
    }),
  ];
}
