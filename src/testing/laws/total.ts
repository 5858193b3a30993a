// Law L12: no cookie that a client sends breaks anything, or opens what isn't its own.
import { type ConformanceCase, mustEqual } from "../case.ts";
import { NAME, type LawSetting } from "./stage.ts";

/** Headers that have broken other libraries (docs/security.md, "What went wrong elsewhere"); none opens a session. */
const hostileValues = [
  "",
  "=",
  "==",
  '""',
  '"x"',
  "%00",
  "%48ost",
  "a".repeat(4096),
  "A".repeat(60),
  "AQ",
  "../../etc/passwd",
  "{}",
  "null",
  "j:{}",
  "s:x.y",
  "__proto__",
  "é",
  "\u00a0",
  "\t",
  " , ",
  "1",
  "-1",
  "AAAA".repeat(30),
  "x=y=z",
  "_-_-",
  "AR8C7-1VObwIXziU6NHnHuDbFcH8AAAAAWsEKMUl-rbb-CpKiMK2nvp60auW",
];

/** Its cases. */
export function totalCases({ define }: LawSetting): ConformanceCase[] {
  return [
    define(
      "L12 hostile: no cookie that a client makes up opens or breaks anything",
      true,
      async ({ client }) => {
        for (const value of hostileValues) {
          const header = `${NAME}=${value}`;
          const { status, body } = await client.raw("/dump", header);
          mustEqual(
            [status, body],
            [200, "[]"],
            `what a hostile value of ${value.length} characters gives`,
          );
        }
      },
    ),
    define(
      "L12 several: of several cookies of one name the good one is found, and none is expired",
      true,
      async ({ client }) => {
        await client.get("/set/a/1");
        const cookie = await client.cookieHeader();
        const junk = `${NAME}=junk`;
        for (const header of [
          `${junk}; ${cookie}`,
          `${cookie}; ${junk}`,
          `${junk}; ${junk}; ${cookie}`,
        ]) {
          const reply = await client.raw("/get/a", header);
          mustEqual([reply.body, reply.setCookie], ["1", []], "what is read, and set");
        }
      },
    ),
  ];
}
