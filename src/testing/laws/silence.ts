// Law L8: a change that can't be kept is an error, never silence.
import { isSealed } from "../../store/contract.ts";
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { ours, type LawSetting } from "./stage.ts";

/** Its cases. */
export function silenceCases({ define }: LawSetting): ConformanceCase[] {
  return [
    define(
      "L8 late: a change after the response has begun is an error",
      true,
      async ({ client, state }) => {
        await client.get("/set/a/1");
        let code = "";
        try {
          state.last?.set("a", "late");
        } catch (error) {
          code = (error as { code?: string }).code ?? "";
        }
        mustEqual(code, "ERR_SESSION_USAGE_HEADERS_SENT", "the error's code");
        mustEqual((await client.get("/get/a")).body, "1", "what is read afterwards");
      },
    ),
    define(
      "L8 large: what doesn't fit is the host's error response, and what was there stays",
      true,
      async ({ client, config }) => {
        await client.get("/set/a/1");
        const size = isSealed(config.store) ? 9000 : 70_000;
        const reply = await client.get(`/fill/big/${size}`);
        must(reply.status >= 500, `the status is ${reply.status}`);
        mustEqual(ours(reply), [], "the session cookies of that response");
        mustEqual((await client.get("/dump")).body, '[["a","1"]]', "what is read afterwards");
      },
    ),
  ];
}
