// The parts of kocha-session/next that need no Next.js: one session for the handlers of a request, and the
// jar of cookies as a header. The whole of it is tested in production builds: `npm run examples -- next`.
import { describe, expect, test } from "vitest";
import { noEffects } from "../../src/engine/effects.ts";
import { carrierOf, thrownAnswer, withoutCookies } from "../../src/hosts/next/answer.ts";
import { HeaderConnection } from "../../src/hosts/next/connection.ts";
import { type CookieJar, headerOf, isSealed } from "../../src/hosts/next/jar.ts";
import { type Place, SharedSessions } from "../../src/hosts/next/shared.ts";
import { deviceBinding } from "../../src/device/index.ts";
import { mergingCookies } from "../../src/merge/index.ts";
import { SessionMiddleware } from "../../src/session/middleware.ts";
import type { Session } from "../../src/session/session.ts";
import { SessionCookieStore } from "../../src/stores/cookie.ts";
import { Gate } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowStore } from "../support/slow-store.ts";

/** A jar as Next's: the last cookie of a name, decoded; a removed one stays, with an empty value. */
class Jar implements CookieJar {
  readonly #held = new Map<string, string>();

  constructor(header = "") {
    for (const pair of header.split("; ").filter((one) => one !== "")) {
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      try {
        this.#held.set(name, decodeURIComponent(value));
      } catch {
        // As Next: what can't be decoded is no cookie.
      }
    }
  }

  getAll(): { name: string; value: string }[] {
    return [...this.#held].map(([name, value]) => ({ name, value }));
  }

  set({ name, value }: { readonly name: string; readonly value: string }): void {
    this.#held.set(name, value);
  }

  delete(name: string): void {
    this.#held.set(name, "");
  }
}

const engines = {
  "a slow server": () =>
    new SessionMiddleware({ store: slowStore().store, signingKey: freshKey() }),
  cookies: () => new SessionMiddleware({ store: new SessionCookieStore(freshKeys()) }),
  "merging cookies": () =>
    new SessionMiddleware({
      store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
    }),
};

describe.each(Object.entries(engines))("the handlers of one request, with %s", (_, make) => {
  /** A request: its jar, and a handler with its session. */
  function request(isOpen = (): boolean => true) {
    const engine = make();
    const jar = new Jar();
    const shared = new SharedSessions();
    const place: Place = {
      engine,
      jar,
      sent: "",
      connection: {},
      isOpen: async () => isOpen(),
      usesJar: true,
    };
    const handle = <T>(work: (session: Session) => T | Promise<T>): Promise<T> =>
      shared.visit(place, async ({ session, leave }) => {
        try {
          return await work(session);
        } finally {
          await leave();
        }
      });
    const kept = async (): Promise<Record<string, string>> =>
      (await engine.open(headerOf(jar, ""))).toObject();
    return { handle, kept, jar, engine };
  }

  test("share what is open, and each has saved when it ends", async () => {
    const { handle, kept } = request();
    const gate = new Gate();
    const slow = handle(async (session) => {
      session.set("a", "1");
      await gate.pass();
      session.set("c", session.get("b"));
    });
    await handle((session) => session.set("b", "2"));
    // The quick one has saved for both, while the slow one goes on.
    expect(await kept()).toEqual({ a: "1", b: "2" });
    gate.open();
    await slow;
    expect(await kept()).toEqual({ a: "1", b: "2", c: "2" });
  });

  test("wait for no other one: a handler may wait for another inside", async () => {
    const { handle, kept } = request();
    const first = handle((session) => session.set("a", "1"));
    await handle(async (session) => {
      await first;
      await handle((same) => same.set("b", "2"));
      session.set("c", "3");
    });
    expect(await kept()).toEqual({ a: "1", b: "2", c: "3" });
  });

  test("one that begins while the last one is being saved sees what that has written", async () => {
    const { handle, kept } = request();
    const first = handle((session) => session.set("a", "1"));
    const work: Promise<unknown>[] = [first];
    for (const key of ["b", "c", "d", "e", "f"]) {
      // Each begins a few turns after the one before it: within it, in its save, and after it.
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      work.push(handle((session) => session.set(key, "1")));
    }
    await Promise.all(work);
    expect(Object.keys(await kept()).toSorted()).toEqual(["a", "b", "c", "d", "e", "f"]);
  });

  test("what one changed before it threw is saved, and it throws its own error", async () => {
    const { handle, kept } = request();
    const thrown = handle((session) => {
      session.set("a", "1");
      throw new Error("mine");
    });
    await expect(thrown).rejects.toThrow("mine");
    expect(await kept()).toEqual({ a: "1" });
  });

  test("a cookie of the session's name that the application sets is an error", async () => {
    const { handle, jar } = request();
    const taken = handle((session) => {
      session.set("a", "1");
      jar.set({ name: "session", value: "own" });
    });
    await expect(taken).rejects.toMatchObject({ code: "ERR_SESSION_USAGE_RESPONSE" });
    expect(jar.getAll()).toEqual([{ name: "session", value: "own" }]);
  });

  test("a change that comes after the response has begun is an error, and sets no cookie", async () => {
    let isOpen = true;
    const { handle, jar } = request(() => isOpen);
    const late = handle((session) => {
      isOpen = false;
      session.set("a", "1");
    });
    await expect(late).rejects.toMatchObject({ code: "ERR_SESSION_USAGE_HEADERS_SENT" });
    expect(jar.getAll()).toEqual([]);
    await expect(handle((session) => session.get("a"))).resolves.toBe("");
  });

  test("a logout removes the cookie, and the next handler has a new session", async () => {
    const { handle, kept } = request();
    await handle((session) => session.set("a", "1"));
    await handle((session) => session.destroy());
    await handle((session) => expect(session.has("a")).toBe(false));
    expect(await kept()).toEqual({});
  });
});

test("a store that fails is the error of its handler, and sets no cookie", async () => {
  const slow = slowStore();
  const engine = new SessionMiddleware({ store: slow.store, signingKey: freshKey() });
  const jar = new Jar();
  const place: Place = {
    engine,
    jar,
    sent: "",
    connection: {},
    isOpen: async () => true,
    usesJar: true,
  };
  slow.failsToSave = true;
  const failed = new SharedSessions().visit(place, async ({ session, leave }) => {
    session.set("a", "1");
    await leave();
  });
  await expect(failed).rejects.toMatchObject({ status: 503 });
  expect(jar.getAll()).toEqual([]);
});

test("a proxy's answer may be a constant: a client's cookie goes onto a copy", async () => {
  class OfNext extends Response {}
  const engine = engines.cookies();
  const constant = new OfNext(null, { status: 307, headers: { location: "/login" } });
  const looked = await engine.open(undefined);
  looked.get("a");
  expect(carrierOf(OfNext, await engine.commit(looked), constant)).toBe(constant);
  const changed = await engine.open(undefined);
  changed.set("a", "1");
  const copy = carrierOf(OfNext, await engine.commit(changed), constant);
  copy.headers.append("set-cookie", "session=1");
  expect(copy).toBeInstanceOf(OfNext);
  expect([copy.status, copy.headers.get("location")]).toEqual([307, "/login"]);
  expect(constant.headers.getSetCookie()).toEqual([]);
  expect(carrierOf(OfNext, noEffects, new Response("own"))).toBeInstanceOf(OfNext);
});

test("a route's answer carries the offer to bind a session, and leaves the cookies to Next's jar", async () => {
  const { store } = slowStore();
  const engine = new SessionMiddleware({
    store,
    signingKey: freshKey(),
    deviceBinding: deviceBinding(),
  });
  const session = await engine.open(undefined);
  session.set("user", "ann");
  session.bindDevice();
  const constant = new Response(null, { status: 204 });
  const { headers } = withoutCookies(await engine.commit(session), constant);
  expect(headers.get("secure-session-registration")).toContain('path="/session/device"');
  expect([headers.get("cache-control"), headers.getSetCookie()]).toEqual(["no-store", []]);
  expect([...constant.headers]).toEqual([]);
});

test.each<[digest: string, base: string | undefined, status?: number, location?: string | null]>([
  ["NEXT_REDIRECT;replace;/a?b;c;308;", undefined, 308, "/a?b;c"],
  ["NEXT_REDIRECT;push;../a;307;", "http://localhost/b/c", 307, "http://localhost/a"],
  [
    "NEXT_REDIRECT;push;https://example.org/;303;",
    "http://localhost/",
    303,
    "https://example.org/",
  ],
  ["NEXT_HTTP_ERROR_FALLBACK;404", undefined, 404, null],
  ["DYNAMIC_SERVER_USAGE", undefined],
])("what Next throws to itself, %s, is answered as Next does", (digest, base, ...expected) => {
  const answer = thrownAnswer(Object.assign(new Error("x"), { digest }), base);
  expect(answer === undefined ? [] : [answer.status, answer.headers.get("location")]).toEqual(
    expected,
  );
});

describe("a jar as a Cookie header", () => {
  test.each([
    ["what was sent stays as it was sent", "a=1; b=s%3Ax%2By; a=2; c=%zz"],
    ["nothing stays nothing", ""],
  ])("%s", (_, sent) => {
    expect(headerOf(new Jar(sent), sent)).toBe(sent);
  });

  test("what this request has set replaces every cookie of its name", () => {
    const sent = "a=1; b=2; a=3";
    const jar = new Jar(sent);
    jar.set({ name: "a", value: "4; d=5" });
    jar.set({ name: "e", value: "6" });
    jar.delete("b");
    expect(headerOf(jar, sent)).toBe("a=4%3B%20d%3D5; e=6");
  });

  test("a jar whose methods are one function is sealed, as Next's is while it renders", () => {
    const refuse = (): never => {
      throw new Error("no");
    };
    const jar = new Jar();
    expect(isSealed(jar)).toBe(false);
    expect(isSealed({ getAll: () => [], set: refuse, delete: refuse })).toBe(true);
  });
});

test.each<[headers: Record<string, string>, secure: boolean, loopback: boolean]>([
  [{}, true, false],
  [{ "x-forwarded-proto": "http", "x-forwarded-for": "::1", host: "localhost:3000" }, false, true],
  [
    { "x-forwarded-proto": "http", "x-forwarded-for": "127.0.0.1", host: "127.0.0.1:3000" },
    false,
    true,
  ],
  [{ "x-forwarded-proto": "http", "x-forwarded-for": "::1", host: "example.org" }, false, false],
  [
    { "x-forwarded-proto": "http", "x-forwarded-for": "192.0.2.1", host: "localhost" },
    false,
    false,
  ],
  [
    { "x-forwarded-proto": "http", "x-forwarded-for": "::1, 192.0.2.1", host: "localhost" },
    false,
    false,
  ],
  [
    { "x-forwarded-proto": "http", "x-forwarded-for": "::1", host: "localhost", via: "1.1 p" },
    false,
    false,
  ],
  [{ "x-forwarded-proto": "https,http", "x-forwarded-for": "::1" }, true, false],
])("the connection of %o", (headers, secure, loopback) => {
  const connection = new HeaderConnection(new Headers(headers));
  expect([connection.secure, connection.loopback]).toEqual([secure, loopback]);
});
