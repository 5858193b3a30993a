// Law L11: a cookie can't be read or changed, and is valid only under its own name.
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { Client } from "../client.ts";
import { probe } from "../probe.ts";
import { NAME, type LawSetting } from "./stage.ts";

/** The session's cookies in a Cookie header, by name. */
const NAMES = /(^|; )session([.=])/g;

/** Its cases. */
export function atRestCases({ define, options }: LawSetting): ConformanceCase[] {
  return [
    define(
      "L11 names: a cookie is good under its own name alone",
      true,
      async ({ client, config }) => {
        await client.get("/set/a/1");
        const cookie = await client.cookieHeader();
        const { url, close } = await options.makeServer(
          { ...config, name: "other" },
          probe({ gates: new Map(), last: undefined, caught: undefined }),
        );
        try {
          const moved = cookie.replaceAll(NAMES, "$1other$2");
          mustEqual(
            (await new Client(url).raw("/dump", moved)).body,
            "[]",
            "what it reads under another name",
          );
        } finally {
          await close();
        }
      },
    ),
    define(
      "L11 rest: neither the cookie nor the session's handle tells or opens anything",
      true,
      async ({ client }) => {
        await client.get("/set/who/alice-in-plain-sight");
        const cookie = await client.cookieHeader();
        must(!cookie.includes("alice"), "the cookie holds the value in plain sight");
        must(!atobSafe(cookie).includes("alice"), "the cookie holds the value in base64");
        const { body: id } = await client.get("/id");
        mustEqual((await client.raw("/dump", `${NAME}=${id}`)).body, "[]", "what the handle opens");
        for (const at of [20, 40, cookie.length - 1]) {
          const changed =
            cookie.slice(0, at) + (cookie[at] === "A" ? "B" : "A") + cookie.slice(at + 1);
          mustEqual(
            (await client.raw("/dump", changed)).body,
            "[]",
            `what a cookie reads that was changed at ${at}`,
          );
        }
      },
    ),
  ];
}

function atobSafe(text: string): string {
  const value = text
    .slice(text.indexOf("=") + 1)
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  return atob(value.slice(0, value.length - (value.length % 4)));
}
