// Law L3: a write from before a clear or a regenerate doesn't return after it.
import { type ConformanceCase, mustEqual } from "../case.ts";
import { openLater, type LawSetting } from "./stage.ts";

/** Its cases. */
export function barrierCases({
  define,
  options: { merges },
  applies: { atomic, counted },
}: LawSetting): ConformanceCase[] {
  return [
    define(
      "L3 barrier: a slow write of before a clear never joins what came after",
      atomic === true ? counted : atomic,
      async ({ client, state, refused, rejected }) => {
        await client.get("/set/old/1");
        const gate = openLater(state, "slow");
        const slow = client.raw("/get/old/gate/slow/set/ghost/1", await client.cookieHeader());
        await gate.arrived;
        await client.get("/clear/set/fresh/1");
        gate.open();
        await client.keep(await slow);
        mustEqual((await client.get("/dump")).body, '[["fresh","1"]]', "after the barrier");
        // With merging in the browser, a late response is detected when its cookie comes back.
        if (merges) mustEqual([...new Set(rejected)], ["retired"], "what the observers heard");
        else mustEqual(refused, ["stale"], "what the observers heard");
        await client.get("/set/fresh/2");
        mustEqual((await client.get("/dump")).body, '[["fresh","2"]]', "after another write");
      },
    ),
    define("L3 clear: it leaves nothing of before", true, async ({ client }) => {
      await client.get("/set/old/1/flash/hello");
      await client.get("/clear/set/fresh/1");
      mustEqual((await client.get("/dump")).body, '[["fresh","1"]]', "after the clear");
      mustEqual((await client.get("/unflash")).body, "", "the message of before it");
    }),
  ];
}
