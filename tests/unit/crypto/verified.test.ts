// The memory of verified tokens: it saves the decryption and nothing else, it is bounded, and what
// one request does to its session is never seen by the next one through it.
import { describe, expect, test } from "vitest";
import { mergingCookies } from "kocha-session/merge";
import { memoryRevocations } from "../../../src/revocations/memory.ts";
import { SessionMiddleware } from "../../../src/session/middleware.ts";
import type { SessionPayload } from "../../../src/crypto/payload.ts";
import { SessionCookieStore } from "../../../src/stores/cookie.ts";
import { VerifiedTexts } from "../../../src/crypto/verified.ts";
import { freshKeys } from "../../support/keys.ts";

const payload: SessionPayload = {
  id: "AAAAAAAAAAAAAAAAAAAAAA",
  rev: 1,
  created: 1_790_000_000_000,
  issued: 0,
  idleExpires: 1_790_000_060_000,
  deadline: Infinity,
  data: new Map([["a", "1"]]),
};

function addTwice(verified: VerifiedTexts<SessionPayload>, text: string, bytes: number): void {
  for (let sight = 0; sight < 2; sight++) verified.add("session", text, payload, bytes);
}

async function cookieOf(engine: SessionMiddleware): Promise<string> {
  const session = await engine.open(undefined);
  session.set("name", "alice");
  const { setCookie } = await engine.commit(session);
  return (setCookie[0] ?? "").split(";", 1)[0] ?? "";
}

describe("the memory of verified tokens", () => {
  test("knows a token by its cookie's name alone", () => {
    const verified = new VerifiedTexts<SessionPayload>(10_000);
    addTwice(verified, "token", 0);
    expect(verified.get("session", "token")).toBe(payload);
    expect(verified.get("other", "token")).toBeUndefined();
    expect(verified.get("session", "token2")).toBeUndefined();
  });

  test("holds no more than its bytes, and keeps what is asked for", () => {
    const verified = new VerifiedTexts<SessionPayload>(100_000);
    addTwice(verified, "kept", 0);
    const tokens = Array.from({ length: 5000 }, (_, index) => `${index}`.padStart(1000, "0"));
    for (const token of tokens) {
      addTwice(verified, token, 1000);
      expect(verified.get("session", "kept")).toBe(payload);
    }
    const known = tokens.filter((token) => verified.get("session", token) !== undefined);
    expect(known.length).toBeGreaterThan(0);
    expect(known.length * 2000).toBeLessThanOrEqual(100_000);
  });

  test("keeps a token from its second sight on, as long as not too many came between", () => {
    const verified = new VerifiedTexts<SessionPayload>(100_000);
    verified.add("session", "token", payload, 0);
    expect(verified.get("session", "token")).toBeUndefined();
    verified.add("session", "token", payload, 0);
    expect(verified.get("session", "token")).toBe(payload);
    verified.add("session", "forgotten", payload, 0);
    for (let other = 0; other < 10_000; other++) {
      verified.add("session", `${other}`.padStart(20, "x"), payload, 0);
    }
    verified.add("session", "forgotten", payload, 0);
    expect(verified.get("session", "forgotten")).toBeUndefined();
  });

  test.each([Infinity, 2 ** 40])("may have %d bytes", (bytes) => {
    const verified = new VerifiedTexts<SessionPayload>(bytes);
    addTwice(verified, "token", 1000);
    expect(verified.get("session", "token")).toBe(payload);
  });

  test("with no bytes it holds nothing", () => {
    const verified = new VerifiedTexts<SessionPayload>(0);
    addTwice(verified, "token", 0);
    expect(verified.get("session", "token")).toBeUndefined();
  });
});

describe("a token that was verified before", () => {
  const now = { at: 1_790_000_000_000 };
  const engineOf = (): SessionMiddleware =>
    new SessionMiddleware({
      store: new SessionCookieStore(freshKeys()),
      sessionExpires: 60,
      absoluteExpires: 90,
      now: () => now.at,
    });

  test.each([59_999, 60_000])("is as good as its ends allow, %i ms later", async (later) => {
    now.at = 1_790_000_000_000;
    const engine = engineOf();
    const cookie = await cookieOf(engine);
    for (let sight = 0; sight < 3; sight++) {
      expect((await engine.open(cookie)).get("name")).toBe("alice");
    }
    now.at += later;
    expect((await engine.open(cookie)).get("name")).toBe(later < 60_000 ? "alice" : "");
  });

  test.each([false, true])("is dead once it is revoked, merging %s", async (merge) => {
    const revocations = memoryRevocations();
    const engine = new SessionMiddleware({
      store: new SessionCookieStore({ ...freshKeys(), ...(merge && { merge: mergingCookies() }) }),
      revocations,
      sessionExpires: 60,
    });
    const cookie = await cookieOf(engine);
    for (let sight = 0; sight < 3; sight++) {
      expect((await engine.open(cookie)).get("name")).toBe("alice");
    }
    await (await engine.open(cookie)).destroy();
    expect((await engine.open(cookie)).get("name")).toBe("");
  });

  test("is no session under another name", async () => {
    const keys = freshKeys();
    const store = new SessionCookieStore(keys);
    const one = new SessionMiddleware({ store, name: "one" });
    const other = new SessionMiddleware({ store, name: "other" });
    const cookie = await cookieOf(one);
    for (let sight = 0; sight < 3; sight++) {
      expect((await one.open(cookie)).get("name")).toBe("alice");
    }
    expect((await other.open(cookie.replace("one=", "other="))).get("name")).toBe("");
  });

  test("shows nothing of what another request changed", async () => {
    const engine = engineOf();
    const cookie = await cookieOf(engine);
    for (let sight = 0; sight < 2; sight++) (await engine.open(cookie)).get("name");
    const first = await engine.open(cookie);
    first.set("name", "bob");
    first.set("more", "1");
    await engine.commit(first);
    const second = await engine.open(cookie);
    expect(second.toObject()).toEqual({ name: "alice" });
    second.clear();
    expect((await engine.open(cookie)).get("name")).toBe("alice");
  });
});

test.each([0, "true", null])("rememberTokens: %s is refused by name", (value) => {
  const options = { ...freshKeys(), rememberTokens: value as unknown as boolean };
  expect(() => new SessionCookieStore(options)).toThrow(/^rememberTokens: must be true or false/);
});
