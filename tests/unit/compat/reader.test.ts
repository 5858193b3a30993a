// Another library's cookies in front of the cookie store: when they become ours, what of their data
// does, and what hostile ones cost.
import { createHmac } from "node:crypto";
import { SessionCookieStore } from "kocha-session";
import { cookieSessionCookies } from "kocha-session/compat/cookie-session";
import { h3Cookies } from "kocha-session/compat/h3";
import { ironSessionCookies } from "kocha-session/compat/iron-session";
import { reactRouterCookies } from "kocha-session/compat/react-router";
import { secureSessionCookies, secureSessionKey } from "kocha-session/compat/secure-session";
import { mergingCookies } from "kocha-session/merge";
import { describe, expect, test } from "vitest";
import type { ForeignCookies } from "../../../src/cookie/foreign.ts";
import { ConfigError } from "../../../src/errors.ts";
import { cryptoWorkOf, watchCrypto } from "../../support/count-crypto.ts";
import { openWithReader } from "../../support/foreign.ts";
import { freshKeys } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";
import { Clock, makeStore, makeWorld } from "../engine/client.ts";
import { readVectors } from "../../support/foreign-vectors.ts";

const DAY = 86_400;
const { now, find } = readVectors();
const until = new Date(now + 365 * DAY * 1000);
const secret = "a secret of the other library's, long enough";

/** cookie-session's two cookies for a text. */
function sign(text: string, key: string = secret, name = "theirs"): string {
  const value = Buffer.from(text).toString("base64");
  const sig = createHmac("sha1", key).update(`${name}=${value}`).digest("base64url");
  return `${name}=${value}; ${name}.sig=${sig}`;
}

const cookieSession = (more: object = {}): ForeignCookies =>
  cookieSessionCookies({ name: "theirs", keys: [secret], until, ...more });

function visitorWith(
  cookie: string,
  migrateFrom: ForeignCookies | readonly ForeignCookies[],
  config: object = {},
  options: object = {},
) {
  const clock = new Clock();
  clock.advance((now - clock.now()) / 1000);
  const world = makeWorld(makeStore("cookie", clock, { ...options, migrateFrom }), config, clock);
  const client = world.newClient();
  client.jar.take(cookie.split("; "));
  const names = () => client.jar.cookies.map(({ name }) => name);
  return { world, clock, client, names };
}

describe.each([
  ["an idle timeout of a day", {}],
  ["none, in a browser-session cookie", { sessionExpires: -1 }],
  ["none, in a lasting cookie", { sessionExpires: -1, cookieExpires: -1 }],
])("with %s, another library's session", (_, config) => {
  test("becomes ours in the first request that looks at it", async () => {
    const { client, names, world } = visitorWith(
      sign('{"user":"alice","n":1}'),
      cookieSession(),
      config,
    );
    await client.request();
    expect(names()).toEqual(["theirs", "theirs.sig"]);
    expect(world.events()).toEqual([]);
    await client.request((session) => expect(session.get("user")).toBe("alice"));
    expect(names()).toEqual(["session"]);
    expect(world.events()).toEqual(["opened", "renewed"]);
    expect(await client.read()).toEqual({ user: "alice", n: "1" });
  });
});

test.each([
  ["plain", {}],
  ["in several cookies", { maxCookies: 4 }],
  ["merging", { merge: mergingCookies() }],
])("its chunks all go, in a cookie store that is %s", async (_, options) => {
  const { options: given, cookie, data } = find("iron-session", "in chunks");
  // What four cookies held doesn't fit into one of ours, and the rest is here to be left out.
  const map = (all: Record<string, unknown>) => ({ ...all, notes: undefined });
  const reader = ironSessionCookies({
    ...(given as { cookieName: string; password: string }),
    until,
    map,
  });
  const { client, names } = visitorWith(cookie, reader, {}, options);
  expect(names().length).toBeGreaterThan(1);
  await client.request((session) => expect(session.get("user")).toBe("alice"));
  expect(names().filter((name) => !name.startsWith("session"))).toEqual([]);
  expect(await client.read()).toMatchObject({ user: "alice", cart: JSON.stringify(data["cart"]) });
});

test("a session may be read from several libraries, in the list's order", async () => {
  const iron = find("iron-session", "one password");
  const readers = [
    ironSessionCookies({ ...(iron.options as { cookieName: string; password: string }), until }),
    cookieSession(),
  ];
  const both = visitorWith(`${sign('{"user":"bob"}')}; ${iron.cookie}`, readers);
  expect(await both.client.read()).toMatchObject({ user: "alice" });
  const one = visitorWith(sign('{"user":"bob"}'), readers);
  expect(await one.client.read()).toEqual({ user: "bob" });
});

test("our cookie may have the name that theirs had", async () => {
  const reader = cookieSessionCookies({ name: "session", keys: [secret], until });
  const cookie = sign('{"user":"alice"}', secret, "session");
  const { client, names, world } = visitorWith(cookie, reader);
  await client.request((session) => session.set("a", "1"));
  expect(world.told.filter(({ name }) => name === "rejected")).toEqual([]);
  expect(names()).toEqual(["session"]);
  expect(await client.read()).toEqual({ user: "alice", a: "1" });
});

describe("the data", () => {
  const read = (json: string, more: object = {}) =>
    openWithReader(cookieSession(more), sign(json), now);

  test("is strings as they are, and all else as JSON", () => {
    const { session } = read('{"a":"1","b":1,"c":null,"d":[1,"x"],"e":{"f":true},"":""}');
    expect(session?.data).toEqual(
      new Map(Object.entries({ a: "1", b: "1", c: "null", d: '[1,"x"]', e: '{"f":true}', "": "" })),
    );
  });

  test("leaves out what a session can't hold, and tells of it", () => {
    const json = `{"__proto__":{"admin":true},"_flash.notice":"x","lone":"\\ud800","k\\udfff":"x","ok":"1"}`;
    const { session } = read(json);
    expect(session?.data).toEqual(new Map([["ok", "1"]]));
    expect(session?.skipped).toEqual(["lone", "k\uFFFD", "__proto__", "_flash.notice"]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test("goes through `map` first", () => {
    const map = ({ user, ...rest }: { user?: { id?: unknown } }) => ({
      user: user?.id,
      rest,
      gone: undefined,
      odd: () => 1,
    });
    const { session } = read('{"user":{"id":7},"a":1}', { map });
    expect(session?.data).toEqual(
      new Map([
        ["user", "7"],
        ["rest", '{"a":1}'],
      ]),
    );
    expect(session?.skipped).toEqual(["odd"]);
  });

  test("is no session where `map` throws, or where it is no object", () => {
    const map = ({ user }: { user?: { id: string } }) => ({ user: (user as { id: string }).id });
    expect(read('{"a":1}', { map }).rejected).toEqual(["malformed"]);
    expect(read('{"a":1}', { map: () => "x" }).rejected).toEqual(["malformed"]);
    for (const json of ["[]", "null", "1", '"x"', "{", ""]) {
      expect(read(json).rejected).toEqual(["malformed"]);
    }
  });

  test("may be nested deeper than there is stack", () => {
    const deep = `{"a":${"[".repeat(11_000)}${"]".repeat(11_000)},"b":"1"}`;
    expect(read(deep).session?.data.get("b")).toBe("1");
  });
});

describe("what a request costs", () => {
  const vector = find("h3", "by default", "h3@2");
  const reader = () => h3Cookies({ ...(vector.options as { password: string }), until });

  const workOf = async (act: () => unknown) => {
    const stop = watchCrypto();
    try {
      return await cryptoWorkOf(act);
    } finally {
      stop();
    }
  };
  const none = { seals: 0, opens: 0, tags: 0, hashes: 0, randoms: 0, others: 0 };

  test("nothing, where nobody looks at the session", async () => {
    const { world } = visitorWith(vector.cookie, reader());
    expect(await workOf(() => world.engine.open(vector.cookie))).toEqual(none);
  });

  test("no derivation of a key, where its seal was opened lately", async () => {
    const theirs = reader();
    const open = () => openWithReader(theirs, vector.cookie, now).session;
    expect((await workOf(open)).opens).toBe(1);
    open();
    // The handle of the session is derived anew, in microseconds.
    expect(await workOf(open)).toEqual({ ...none, others: 1 });
    expect(open()?.data.get("user")).toBe("alice");
  });

  test("two tries of forged seals; malformed ones cost nothing", async () => {
    const forged = vector.cookie.replace(/\*[^*]+$/, `*${"A".repeat(43)}`);
    const junk = Array.from({ length: 50 }, () => "h3=Fe26.2*junk");
    const header = [...junk, ...junk.map(() => forged)].join("; ");
    const theirs = reader();
    const work = await workOf(() => openWithReader(theirs, header, now));
    // Each with either count of iterations.
    expect([work.opens, work.tags]).toEqual([0, 4]);
    expect(openWithReader(theirs, header, now).rejected).toHaveLength(52);
  });

  test("a thousand values and a thousand signatures are 64 tries", () => {
    const values = Array.from({ length: 1000 }, (_, index) => `theirs=${index}`);
    const sigs = Array.from({ length: 1000 }, () => `theirs.sig=${"A".repeat(27)}`);
    const { rejected } = openWithReader(cookieSession(), [...values, ...sigs].join("; "), now);
    expect(rejected).toHaveLength(64);
  });

  test("nothing that is no cookie of theirs throws", () => {
    const readers = [
      reader(),
      ironSessionCookies({ cookieName: "h3", password: secret, until }),
      cookieSessionCookies({ name: "h3", keys: [secret], until }),
      secureSessionCookies({ cookieName: "h3", key: Buffer.alloc(32, 7), until }),
      reactRouterCookies({ name: "h3", secrets: [secret], until }),
    ];
    const parts = [
      "%",
      "%zz",
      "\ud800",
      "\0",
      "é",
      "*".repeat(7),
      "*".repeat(30_000),
      ".",
      ";",
      "~2",
    ];
    const values = [
      ...parts,
      ...parts.flatMap((one) => parts.map((other) => `Fe26.2${one}${other}`)),
    ];
    for (const one of readers) {
      for (const value of values) {
        const cookies = one.names.map((name) => ({ name, value }));
        expect(one.open(cookies, { name: "session", now }, [])).toBeUndefined();
      }
    }
  });
});

describe("options that are wrong", () => {
  const password = secret;
  test.each<[string, () => unknown, string]>([
    ["until", () => ironSessionCookies({ cookieName: "a", password } as never), "until"],
    ["until", () => h3Cookies({ password, until: new Date(Number.NaN) }), "until"],
    ["until", () => cookieSessionCookies({ keys: [secret], until: 1 as never }), "until"],
    ["a name", () => ironSessionCookies({ cookieName: "a;b", password, until }), "cookieName"],
    ["a name", () => ironSessionCookies({ password, until } as never), "cookieName"],
    ["a short password", () => h3Cookies({ password: "short", until }), "password"],
    ["no password", () => h3Cookies({ password: undefined, until }), "password"],
    ["no passwords", () => h3Cookies({ password: {}, until }), "password"],
    [
      "a password of a list",
      () => ironSessionCookies({ cookieName: "a", password: { 1: "x" }, until }),
      "password.1",
    ],
    ["no keys", () => cookieSessionCookies({ keys: [], until }), "keys"],
    ["an empty key", () => cookieSessionCookies({ keys: [secret, ""], until }), "keys[1]"],
    ["no secrets", () => reactRouterCookies({ until } as never), "secrets"],
    ["neither key nor secret", () => secureSessionCookies({ until }), "key"],
    ["both", () => secureSessionCookies({ key: "x", secret, until }), "secret"],
    ["a short key", () => secureSessionCookies({ key: ["AAAA"], until }), "key[0]"],
    ["a key that is no base64", () => secureSessionCookies({ key: "!", until }), "key"],
    ["a short secret", () => secureSessionKey({ secret: "x" }), "secret"],
    ["a salt", () => secureSessionKey({ secret, salt: "x" }), "salt"],
    [
      "an expiry",
      () => secureSessionCookies({ key: Buffer.alloc(32), expiry: -1, until }),
      "expiry",
    ],
    ["map", () => cookieSession({ map: "x" }), "map"],
    ["an unknown field", () => cookieSession({ secret }), "secret"],
    ["no options", () => h3Cookies(undefined as never), "options"],
    [
      "migrateFrom",
      () => new SessionCookieStore({ ...freshKeys(), migrateFrom: {} as never }),
      "migrateFrom",
    ],
    [
      "migrateFrom",
      () => new SessionCookieStore({ ...freshKeys(), migrateFrom: [null] as never }),
      "migrateFrom",
    ],
  ])("%s names its field", (_, make, field) => {
    const error = thrownBy(make);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).field).toBe(field);
    expect((error as ConfigError).message).not.toContain(secret);
  });
});
