// Law L6: without a cookie, or without a change, a session costs nothing.
import { type ConformanceCase, mustEqual } from "../case.ts";
import type { LawSetting } from "./stage.ts";

/** Its cases. */
export function idleCases({ define }: LawSetting): ConformanceCase[] {
  return [
    define(
      "L6 idle: without a cookie nothing is asked, stored or set",
      true,
      async ({ client, spy }) => {
        for (const path of [
          "/status/200",
          "/dump",
          "/get/a",
          "/clear",
          "/set/a/1/del/a",
          "/destroy",
        ]) {
          const reply = await client.raw(path, undefined);
          mustEqual(reply.setCookie, [], `the cookies of ${path}`);
        }
        mustEqual([spy?.loads ?? 0, spy?.saves ?? 0], [0, 0], "how often the store was asked");
      },
    ),
    define("L6 unchanged: an equal value is no change", true, async ({ client, spy }) => {
      await client.get("/set/a/1");
      const saves = spy?.saves;
      for (const path of ["/set/a/1", "/set/a/2/set/a/1", "/set/b/1/del/b", "/del/nowhere"]) {
        mustEqual((await client.get(path)).setCookie, [], `the cookies of ${path}`);
      }
      mustEqual(spy?.saves, saves, "how often the store was asked to save");
    }),
  ];
}
