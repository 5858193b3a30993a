// `kocha-session inspect` on merging cookies: each part, the tombstone, and what they say together.
import { expect, test } from "vitest";
import { mergingCookies } from "kocha-session/merge";
import { SessionCookieStore } from "../../src/stores/cookie.ts";
import { BuiltPackage } from "../support/built-package.ts";
import { freshKeys } from "../support/keys.ts";
import { Clock, makeWorld } from "../unit/engine/client.ts";

interface Finding {
  readonly name: string;
  readonly kind: string;
  readonly session?: { readonly keys: readonly { readonly key: string }[] };
}

const kocha = BuiltPackage.forTests();

test("parts are shown one by one, and joined", async () => {
  const keys = freshKeys();
  const clock = new Clock();
  const now = Date.now();
  clock.advance((now - clock.now()) / 1000);
  const world = makeWorld(new SessionCookieStore({ ...keys, merge: mergingCookies() }), {}, clock);
  const client = world.newClient();
  const other = world.newClient();
  await other.request((session) => session.set("gone", "1"));
  await other.request((session) => session.destroy());
  await client.request((session) => session.set("base", "1"));
  const header = client.jar.header;
  for (const key of ["one", "two"]) {
    const session = await world.engine.open(header);
    session.set(key, "1");
    client.jar.take((await world.engine.commit(session)).setCookie);
  }
  const env = { SESSION_SECRET_KEY: keys.secretKey, SESSION_SIGNING_KEY: keys.signingKey };
  const input = `Cookie: ${client.jar.header}; ${other.jar.header}`;
  const { code, out } = await kocha.run(["inspect", "--json"], { input, env });
  const findings = JSON.parse(out) as Finding[];
  expect(code).toBe(0);
  expect(findings.map(({ kind }) => kind)).toEqual([
    "part",
    "part",
    "part",
    "tombstone",
    "session",
  ]);
  expect(findings.map(({ session }) => session?.keys.map(({ key }) => key).toSorted())).toEqual([
    ["base"],
    ["base", "one"],
    ["base", "two"],
    undefined,
    ["base", "one", "two"],
  ]);
});
