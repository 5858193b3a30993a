// The readers of other libraries' cookies, against cookies that the real libraries made: what each
// opens to, and that nothing but the cookie itself does.
import { cookieSessionCookies } from "kocha-session/compat/cookie-session";
import { h3Cookies } from "kocha-session/compat/h3";
import { ironSessionCookies } from "kocha-session/compat/iron-session";
import { reactRouterCookies } from "kocha-session/compat/react-router";
import { secureSessionCookies, secureSessionKey } from "kocha-session/compat/secure-session";
import { describe, expect, test } from "vitest";
import type { ForeignCookies } from "../../src/cookie/foreign.ts";
import type { RejectedReason } from "../../src/events.ts";
import { openWithReader } from "../support/foreign.ts";
import { type ForeignVector as Vector, readVectors } from "../support/foreign-vectors.ts";

type Options = Record<string, unknown> & { readonly until: Date };

const { now, cases, find } = readVectors();

const readers = {
  "iron-session": (options: Options) => ironSessionCookies(options as never),
  h3: (options: Options) => h3Cookies(options as never),
  "cookie-session": (options: Options) => cookieSessionCookies(options as never),
  "secure-session": (options: Options) => secureSessionCookies(options),
  "react-router": (options: Options) => reactRouterCookies(options as never),
} satisfies Record<string, (options: Options) => ForeignCookies>;

const YEAR = 365 * 86_400_000;
const until = new Date(now + YEAR);
const readerOf = (
  { reader, options }: Vector,
  more: Record<string, unknown> = {},
): ForeignCookies => readers[reader as keyof typeof readers]({ ...options, until, ...more });

/** By secret, each reader takes seconds to make: there is one test of it, and one vector. */
const quick = cases.filter(({ options }) => options["secret"] === undefined);
const titled = quick.map((vector) => [`${vector.source}, ${vector.name}`, vector] as const);
/** What the default makes of the data: strings as they are, all else as JSON. */
const asStrings = (data: Record<string, unknown>): Map<string, string> =>
  new Map(
    Object.entries(data).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );

describe.each(titled)("%s", (_, vector) => {
  const { session, rejected } = openWithReader(readerOf(vector), vector.cookie, now);

  test("opens to its data", () => {
    expect(rejected).toEqual([]);
    expect(session).toMatchObject({ foreign: true, skipped: [] });
    expect(session?.data).toEqual(asStrings(vector.data));
    const names = vector.cookie.split("; ").map((pair) => pair.split("=", 1)[0]);
    expect(new Set(session?.names)).toEqual(new Set(names));
  });

  test("has the end that its library gave it, and is none from then on", () => {
    const { lifetime = null } = vector;
    const end = session?.expires ?? 0;
    // Without an end inside, or where no lifetime is said, only `until` bounds it.
    const latest = lifetime === null ? until.getTime() : now + lifetime * 1000;
    expect(end).toBeGreaterThan(vector.lifetime === undefined ? now : latest - 60_000);
    expect(end).toBeLessThanOrEqual(latest);
    expect(openWithReader(readerOf(vector), vector.cookie, end - 1).session).toBeDefined();
    const { session: late, rejected: why } = openWithReader(readerOf(vector), vector.cookie, end);
    expect([late, why]).toEqual([undefined, end === until.getTime() ? [] : ["expired"]]);
  });

  test("isn't read any more from `until` on", () => {
    const reader = readerOf(vector, { until: new Date(now) });
    expect(openWithReader(reader, vector.cookie, now - 1).session?.expires).toBe(now);
    expect(openWithReader(reader, vector.cookie, now)).toEqual({
      session: undefined,
      rejected: [],
    });
  });

  test("opens with no character changed, with none left out and with none added", () => {
    const reader = readerOf(vector);
    const { cookie } = vector;
    const step = Math.max(1, Math.floor(cookie.length / 40));
    const opened: number[] = [];
    for (let at = 0; at < cookie.length; at += step) {
      // A space between two cookies is none of either.
      if (cookie[at] === " ") continue;
      const head = cookie.slice(0, at);
      for (const text of [
        `${head}${cookie[at] === "A" ? "B" : "A"}${cookie.slice(at + 1)}`,
        `${head}${cookie.slice(at + 1)}`,
      ]) {
        if (openWithReader(reader, text, now).session !== undefined) opened.push(at);
      }
    }
    expect(opened).toEqual([]);
    expect(openWithReader(reader, `${cookie}A`, now).session).toBeUndefined();
    expect(openWithReader(reader, `${cookie}*`, now).session).toBeUndefined();
  });
});

describe("which key", () => {
  const other = "another password of more than 32 characters";
  const base64 = Buffer.alloc(32, 7).toString("base64");
  test.each<[string, string, Record<string, unknown>, RejectedReason]>([
    ["iron-session", "one password", { password: other }, "forged"],
    ["iron-session", "the newer of two passwords", { password: { 1: other } }, "unknown-key"],
    ["iron-session", "the older of two passwords", { password: { 1: other, 2: other } }, "forged"],
    ["h3", "by default", { password: other }, "forged"],
    ["cookie-session", "the newer of two keys", { keys: [other] }, "forged"],
    ["secure-session", "by key", { key: base64 }, "forged"],
    ["react-router", "the newer of two secrets", { secrets: [other] }, "forged"],
  ])("%s, %s, doesn't open by another one", (reader, name, options, reason) => {
    const vector = find(reader, name);
    expect(openWithReader(readerOf(vector, options), vector.cookie, now)).toEqual({
      session: undefined,
      rejected: [reason],
    });
  });

  test("@fastify/secure-session's secret gives its key, once", () => {
    const vector = cases.find(({ options }) => options["secret"] !== undefined) as Vector;
    const key = secureSessionKey(vector.options as { secret: string });
    const reader = secureSessionCookies({ key, until });
    expect(openWithReader(reader, vector.cookie, now).session?.data).toEqual(
      asStrings(vector.data),
    );
  }, 180_000);
});

describe("what a format says of itself", () => {
  const iron = find("iron-session", "one password");
  const open = (cookie: string) => openWithReader(readerOf(iron), cookie, now).rejected;

  test("another version of the seal or of iron-session's marker isn't read", () => {
    expect(open(iron.cookie.replace("Fe26.2*", "Fe26.1*"))).toEqual(["version"]);
    expect(open(iron.cookie.replace("~2", "~3"))).toEqual(["version"]);
    expect(open(iron.cookie.replace("~2", ""))).toEqual(["malformed"]);
  });

  test("a chunk that is missing, doubled or of another session opens nothing", () => {
    for (const [reader, junk] of [
      ["iron-session", "iron.0=x"],
      ["h3", "h3.1=x"],
    ] as const) {
      const vector = find(reader, "in chunks");
      const pairs = vector.cookie.split("; ");
      const at = (pair: string) => openWithReader(readerOf(vector), pair, now).session;
      expect(at(pairs.join("; "))).toBeDefined();
      expect(at(pairs.toReversed().join("; "))).toBeDefined();
      for (const left of pairs) {
        expect(at(pairs.filter((pair) => pair !== left).join("; "))).toBeUndefined();
      }
      expect(at([junk, ...pairs].join("; "))).toBeUndefined();
    }
  });

  test("h3's count of chunks drives no loop", () => {
    const reader = readerOf(find("h3", "in chunks"));
    for (const count of ["1", "0", "-1", "99999999", "2e9", "8", "3x", ""]) {
      expect(openWithReader(reader, `h3=__chunked__${count}; h3.1=x`, now).session).toBeUndefined();
    }
  });

  test("a cookie-session value opens by its own signature, wherever that stands", () => {
    const vector = find("cookie-session", "the newer of two keys");
    const other = find("cookie-session", "the older of two keys");
    const [value = "", sig = ""] = vector.cookie.split("; ");
    const [, otherSig = ""] = other.cookie.split("; ");
    const reader = readerOf(vector);
    const header = [sig, `session=${"A".repeat(16)}`, value, otherSig].join("; ");
    expect(openWithReader(reader, header, now).session?.data.get("user")).toBe("alice");
    expect(openWithReader(reader, value, now).session).toBeUndefined();
    expect(openWithReader(reader, sig, now).session).toBeUndefined();
  });
});

describe("the handle", () => {
  const idOf = (vector: Vector) => openWithReader(readerOf(vector), vector.cookie, now).session?.id;

  test.each(["cookie-session", "react-router"])(
    "of %s is random, since equal data makes equal cookies",
    (reader) => {
      const vector = quick.find((one) => one.reader === reader) as Vector;
      expect(idOf(vector)).toMatch(/^[A-Za-z0-9_-]{22}$/);
      expect(idOf(vector)).not.toBe(idOf(vector));
    },
  );

  test.each(["iron-session", "h3", "secure-session"])("of %s is the cookie's", (reader) => {
    const vectors = quick.filter((one) => one.reader === reader);
    expect(vectors.map(idOf)).toEqual(vectors.map(idOf));
    expect(new Set(vectors.map(idOf)).size).toBe(vectors.length);
  });

  test("isn't another one where the cookie is spelled otherwise", () => {
    const vector = find("secure-session", "by key");
    const respelled = {
      ...vector,
      cookie: vector.cookie.replaceAll("%3D", "").replace("%3B", "%3b"),
    };
    expect(respelled.cookie).not.toBe(vector.cookie);
    expect(idOf(respelled)).toBe(idOf(vector));
  });
});
