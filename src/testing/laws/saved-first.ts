// Law L7: no byte of the response leaves before the change is saved.
import { isSealed } from "../../store/contract.ts";
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { Gate } from "../probe.ts";
import { ours, type LawSetting } from "./stage.ts";

/** Its cases. */
export function savedFirstCases({ define, applies: { keyed } }: LawSetting): ConformanceCase[] {
  return [
    define("L7 redirect: it always finds what was written", true, async ({ client }) => {
      for (let round = 0; round < 10; round++) {
        const { status } = await client.get(`/set/round/${round}/redirect`);
        mustEqual(status, 303, "the status");
        mustEqual((await client.get("/get/round")).body, String(round), "what the next page reads");
      }
    }),
    define(
      "L7 held: the client sees nothing of the response before the save is done",
      keyed,
      async ({ client, spy }) => {
        await client.get("/set/a/1");
        must(spy !== undefined, "there is no spy");
        const gate = new Gate();
        spy.saveGate = gate;
        let seen = false;
        const held = client.get("/set/a/2").then((reply) => {
          seen = true;
          return reply;
        });
        await gate.arrived;
        spy.saveGate = undefined;
        // Other requests are served meanwhile.
        for (let round = 0; round < 3; round++) await client.raw("/status/200", undefined);
        must(!seen, "the response came before its session was saved");
        gate.open();
        mustEqual((await held).status, 200, "the status, once it is saved");
        mustEqual((await client.get("/get/a")).body, "2", "what was saved");
      },
    ),
    define(
      "L7 thrown: what a handler changed before it threw is saved with the error",
      true,
      async ({ client, config }) => {
        await client.get("/set/a/1");
        const reply = await client.get("/set/a/2/throw");
        must(reply.status >= 500, `the status is ${reply.status}`);
        const wasSent = isSealed(config.store) ? ours(reply).length : 1;
        mustEqual(wasSent, 1, "how many cookies the error response sets");
        mustEqual((await client.get("/get/a")).body, "2", "what is read afterwards");
      },
    ),
  ];
}
