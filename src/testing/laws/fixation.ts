// Law L4: after a regenerate the old credential never reads the session.
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { NAME, ours, type LawSetting } from "./stage.ts";

/** For so long after a regenerate the old credential is read-only, in milliseconds. */
const GRACE = 60_000;

/** Its cases. */
export function fixationCases({
  define,
  options: { clock },
  applies: { retired, timed, counted },
}: LawSetting): ConformanceCase[] {
  return [
    define(
      "L4 fixation: the old credential never reads what came after",
      counted,
      async ({ client }) => {
        await client.get("/set/a/1");
        const attacker = await client.copy();
        const { setCookie } = await client.get("/regenerate/set/secret/2");
        mustEqual(setCookie.length > 0, true, "that a new credential is sent");
        mustEqual(
          (await client.get("/dump")).body,
          '[["a","1"],["secret","2"]]',
          "what the new credential reads",
        );
        mustEqual(
          (await attacker.get("/get/secret")).body,
          "",
          "what the old one reads of what came after",
        );
      },
    ),
    define(
      "L4 grace: the old credential reads nothing, sets no cookie, and can end the session",
      retired,
      async ({ client, refused }) => {
        await client.get("/set/a/1");
        const old = await client.cookieHeader();
        await client.get("/regenerate");
        mustEqual((await client.raw("/dump", old)).body, "[]", "what the old credential reads");
        const write = await client.raw("/set/a/2", old);
        mustEqual(ours(write), [], "the cookies of a write with it");
        mustEqual(refused, ["grace"], "what the observers heard");
        mustEqual((await client.get("/get/a")).body, "1", "what the new one reads");
        await client.raw("/destroy", old);
        mustEqual(
          (await client.get("/dump")).body,
          "[]",
          "what the new one reads after the old one's logout",
        );
      },
    ),
    define(
      "L4 retired: after the grace the old credential is unknown",
      retired === true ? timed : retired,
      async ({ client }) => {
        await client.get("/set/a/1");
        const old = await client.cookieHeader();
        await client.get("/regenerate");
        await clock.advance(GRACE + 1000);
        const write = await client.raw("/set/b/2", old);
        const begun = ours(write).filter((cookie) => !isEnd(cookie));
        mustEqual(begun.length, 1, "how many cookies a write with it sets: a session of its own");
        mustEqual((await client.get("/dump")).body, '[["a","1"]]', "what the new credential reads");
      },
    ),
    define(
      "L4 adoption: a credential that the client made up is never taken",
      true,
      async ({ client }) => {
        const made = `${NAME}=${"A".repeat(60)}`;
        const reply = await client.raw("/set/a/1", made);
        mustEqual(ours(reply).length, 1, "how many cookies it sets");
        must(
          !ours(reply).some((cookie) => cookie.startsWith(made)),
          "the made-up credential was adopted",
        );
      },
    ),
  ];
}

/** True for a Set-Cookie value that expires a cookie. */
function isEnd(setCookie: string): boolean {
  return /; Max-Age=0(;|$)/.test(setCookie);
}
