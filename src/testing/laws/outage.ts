// Law L9: a store that can't answer never looks like no session.
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { openLater, ours, type LawSetting } from "./stage.ts";

/** Its cases. */
export function outageCases({
  define,
  applies: { keyed, counted },
}: LawSetting): ConformanceCase[] {
  return [
    define(
      "L9 load: a store that can't answer is an error, and the cookie stays",
      keyed,
      async ({ client, spy }) => {
        await client.get("/set/a/1");
        must(spy !== undefined, "there is no spy");
        spy.fault = "load";
        const reply = await client.get("/get/a");
        must(reply.status >= 500, `the status is ${reply.status}`);
        mustEqual(reply.setCookie, [], "the cookies of that response");
        spy.fault = undefined;
        mustEqual((await client.get("/get/a")).body, "1", "what is read when the store is back");
      },
    ),
    define(
      "L9 save: a change that can't be saved is an error, and nothing is set",
      keyed,
      async ({ client, spy }) => {
        must(spy !== undefined, "there is no spy");
        spy.fault = "save";
        const reply = await client.get("/set/a/1");
        must(reply.status >= 500, `the status is ${reply.status}`);
        mustEqual(ours(reply), [], "the session cookies of that response");
        spy.fault = undefined;
        mustEqual((await client.get("/dump")).body, "[]", "what is read when the store is back");
      },
    ),
    define(
      "L9 owed: a new credential that was saved goes out, also when a later save fails",
      keyed === true ? counted : keyed,
      async ({ client, spy, state }) => {
        await client.get("/set/a/1");
        must(spy !== undefined, "there is no spy");
        const gate = openLater(state, "between");
        const pending = client.get("/regenerate/gate/between/set/b/2");
        await gate.arrived;
        spy.fault = "save";
        gate.open();
        const reply = await pending;
        must(reply.status >= 500, `the status is ${reply.status}`);
        mustEqual(ours(reply).length, 1, "how many session cookies the error response sets");
        spy.fault = undefined;
        mustEqual((await client.get("/dump")).body, '[["a","1"]]', "what the new credential reads");
      },
    ),
  ];
}
