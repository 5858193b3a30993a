// The effects of a response: cookies as values and as fields say the same, and both ways of putting
// them into a response merge them with what the application has set.
import {
  applyEffects,
  type ResponseCookie,
  type ResponseEffects,
  type Session,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
  withEffects,
} from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { describe, expect, test } from "vitest";
import { noEffects, varyOnly } from "../../../src/engine/effects.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { slowly } from "../../support/latency.ts";
import { thrownBy } from "../../support/thrown.ts";

/** Fills more than one cookie where it may. */
const LARGE = "x".repeat(5000);

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "the cookie store, in several cookies": () => ({
    store: new SessionCookieStore({ ...freshKeys(), maxCookies: 4 }),
  }),
  "the cookie store, merging": () => ({
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
  }),
  "a store that takes a while": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

/** A Set-Cookie value, read by RFC 6265bis section 5.6 and not by the code that wrote it. */
function parse(setCookie: string): ResponseCookie {
  const [pair = "", ...attributes] = setCookie.split("; ");
  const named = new Map(
    attributes.map((attribute) => {
      const [name = "", value = ""] = attribute.split("=");
      return [name.toLowerCase(), value];
    }),
  );
  const at = pair.indexOf("=");
  const maxAge = named.get("max-age");
  const expires = named.get("expires");
  const domain = named.get("domain");
  const priority = named.get("priority")?.toLowerCase();
  return {
    name: pair.slice(0, at),
    value: pair.slice(at + 1),
    path: named.get("path") ?? "",
    ...(domain !== undefined && { domain }),
    ...(maxAge !== undefined && { maxAge: Number(maxAge) }),
    ...(expires !== undefined && { expires: new Date(expires) }),
    httpOnly: named.has("httponly"),
    secure: named.has("secure"),
    sameSite: named.get("samesite")?.toLowerCase() as "lax" | "strict" | "none",
    ...(named.has("partitioned") && { partitioned: true }),
    ...(priority !== undefined && { priority: priority as "low" | "medium" | "high" }),
  };
}

const configurations: Readonly<Record<string, Partial<SessionConfig>>> = {
  defaults: {},
  "a persistent cookie": { cookieExpires: -1 },
  "every attribute": {
    cookieExpires: 3600,
    path: "/shop",
    domain: "example.org",
    sameSite: "none",
    partitioned: true,
    priority: "high",
    httpOnly: false,
  },
  'secure: "auto"': { secure: "auto", sameSite: "strict" },
};

describe.each(Object.entries(stores))("cookies as fields, with %s", (name, makeConfig) => {
  test.each(Object.entries(configurations))("say what the values say: %s", async (_, more) => {
    const engine = new SessionMiddleware({ ...makeConfig(), ...more });
    const loopback = { secure: false, loopback: true };
    const said: ResponseEffects[] = [];
    let header = "";
    const visit = async (change: (session: Session) => void | Promise<void>): Promise<void> => {
      const session = await engine.open(header, loopback);
      await change(session);
      const effects = await engine.commit(session);
      said.push(effects);
      header = effects.cookies.map((cookie) => `${cookie.name}=${cookie.value}`).join("; ");
    };
    await visit((session) => session.set("a", name.includes("several") ? LARGE : "1"));
    await visit((session) => {
      session.cookieExpires = 60;
      session.set("b", "2");
    });
    await visit((session) => session.destroy());
    expect(said.map(({ setCookie }) => setCookie.length > 0)).toEqual([true, true, true]);
    for (const { cookies, setCookie, cookieName } of said) {
      expect(cookies).toEqual(setCookie.map(parse));
      expect(cookieName).toBe("session");
    }
    expect(said.at(-1)?.cookies).toContainEqual(
      expect.objectContaining({ value: "", maxAge: 0, expires: new Date(0) }),
    );
  });

  test("a request that changes nothing has none", async () => {
    const engine = new SessionMiddleware(makeConfig());
    const session = await engine.open(undefined);
    expect(await engine.commit(session)).toEqual(noEffects);
    const looked = await engine.open(undefined);
    looked.get("a");
    expect(await engine.commit(looked)).toEqual(varyOnly);
  });

  test("a logout without a session has no cookie, and claims no name", async () => {
    const engine = new SessionMiddleware(makeConfig());
    const session = await engine.open(undefined);
    await session.destroy();
    expect(await engine.commit(session)).toEqual(varyOnly);
  });
});

async function written(): Promise<ResponseEffects> {
  const engine = new SessionMiddleware({ store: new SessionCookieStore(freshKeys()) });
  const session = await engine.open(undefined);
  session.set("a", "1");
  return engine.commit(session);
}

/** Another header that the engine owes. */
function withHeader(effects: ResponseEffects): ResponseEffects {
  const { setCookie, cookies, cookieName, vary, noStore } = effects;
  return { setCookie, cookies, cookieName, vary, noStore, headers: [["X-Offer", "new"]] };
}

describe("applyEffects", () => {
  test("joins the application's own headers", async () => {
    const headers = new Headers([
      ["Set-Cookie", "own=1"],
      ["Vary", "Accept"],
      ["Cache-Control", "public, max-age=60"],
      ["X-Offer", "old"],
    ]);
    const effects = withHeader(await written());
    applyEffects(effects, headers);
    expect(headers.getSetCookie()).toEqual(["own=1", ...effects.setCookie]);
    expect(headers.get("Vary")).toBe("Accept, Cookie");
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("X-Offer")).toBe("new");
  });

  test.each([
    ["", "Cookie"],
    ["*", "*"],
    ["cookie, Accept", "cookie, Accept"],
  ])("leaves a Vary that says it already: %j", (before, after) => {
    const headers = new Headers({ Vary: before, "Cache-Control": "private" });
    applyEffects(varyOnly, headers);
    expect([headers.get("Vary"), headers.get("Cache-Control")]).toEqual([after, "private"]);
  });

  test("takes whatever has get, set and append, and gives undefined or null for none", async () => {
    const effects = await written();
    for (const none of [undefined, null]) {
      const calls: unknown[] = [];
      applyEffects(effects, {
        get: () => none,
        set: (...args) => void calls.push(["set", ...args]),
        append: (...args) => void calls.push(["append", ...args]),
      });
      expect(calls).toEqual([
        ["append", "Set-Cookie", effects.setCookie[0]],
        ["set", "Vary", "Cookie"],
        ["set", "Cache-Control", "no-store"],
      ]);
    }
  });
});

describe("withEffects", () => {
  test("a Response that answers many clients gets a client's headers on a copy only", async () => {
    const constant = new Response("hello", { status: 201, headers: { Vary: "Accept" } });
    const offer: ResponseEffects = { ...noEffects, headers: [["X-Offer", "new"]] };
    const before = [...constant.headers];
    for (const effects of [await written(), offer]) {
      const answer = withEffects(effects, constant.clone());
      expect(answer.status).toBe(201);
      expect(await answer.text()).toBe("hello");
      expect(answer.headers.getSetCookie()).toEqual(effects.setCookie);
      expect(answer.headers.get("X-Offer")).toBe(effects.headers[0]?.[1] ?? null);
    }
    expect([...constant.headers]).toEqual(before);
  });

  test("without anything due it is the same Response; a Vary alone needs no copy", () => {
    const answer = new Response("hello");
    expect(withEffects(noEffects, answer)).toBe(answer);
    expect(withEffects(varyOnly, answer)).toBe(answer);
    expect(answer.headers.get("Vary")).toBe("Cookie");
  });

  test("a redirect, whose headers can't be changed, is copied", async () => {
    for (const effects of [await written(), varyOnly]) {
      const answer = withEffects(effects, Response.redirect("http://localhost/next", 303));
      expect([answer.status, answer.headers.get("Location"), answer.headers.get("Vary")]).toEqual([
        303,
        "http://localhost/next",
        "Cookie",
      ]);
      expect(answer.headers.getSetCookie()).toEqual(effects.setCookie);
    }
  });

  test("Response.error() goes out as it is, and can't carry a cookie", async () => {
    const answer = Response.error();
    expect(withEffects(varyOnly, answer)).toBe(answer);
    const effects = await written();
    expect(thrownBy(() => withEffects(effects, answer))).toMatchObject({
      code: "ERR_SESSION_USAGE_RESPONSE",
    });
  });

  test("a session cookie that is there already is an error, another one is not", async () => {
    const effects = await written();
    const own = new Response("x", { headers: { "Set-Cookie": "sessions=1" } });
    expect(withEffects(effects, own).headers.getSetCookie()).toHaveLength(2);
    for (const claimed of ["session=1", "session.split1=1"]) {
      const answer = new Response("x", { headers: { "Set-Cookie": claimed } });
      expect(thrownBy(() => withEffects(effects, answer))).toMatchObject({
        code: "ERR_SESSION_USAGE_RESPONSE",
      });
      // Nothing of ours goes out, so nothing is undone.
      expect(withEffects(varyOnly, answer)).toBe(answer);
    }
  });
});
