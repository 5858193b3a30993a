// The types of a configuration: what an editor refuses before the constructor has to.
import {
  type CookieKey,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
  SessionMiddleware,
  type SessionObservers,
  type SigningKey,
} from "kocha-session";
import { expressSessions } from "kocha-session/compat/express-rows";
import { type ForeignCookies, ironSessionCookies } from "kocha-session/compat/iron-session";
import { kochaCookies, openKochaCookie, sealKochaCookie } from "kocha-session/kocha";
import { describe, expectTypeOf, test } from "vitest";

const store = new SessionMemoryStore();
/** As the environment gives it: perhaps not at all. The constructor refuses undefined by name. */
declare const fromEnvironment: string | undefined;

/** Takes a configuration as it is written down. */
function configure(config: SessionConfig): SessionConfig {
  return config;
}

describe("the configuration", () => {
  test("Kocha's own five fields", () => {
    configure({
      name: "appname_session",
      store: new SessionCookieStore({ secretKey: fromEnvironment, signingKey: fromEnvironment }),
      cookieExpires: 90 * 86_400,
      sessionExpires: -1,
      httpOnly: true,
    });
  });

  test("only a store is needed, and it is needed", () => {
    configure({ store });
    // @ts-expect-error where would sessions be kept
    configure({ name: "session" });
    // @ts-expect-error an object with two methods
    configure({ store: new Map() });
    // @ts-expect-error a class is no store
    configure({ store: SessionMemoryStore });
  });

  test("an unknown field is a mistake", () => {
    // @ts-expect-error the field is httpOnly
    configure({ store, httponly: true });
    // @ts-expect-error express-session's word
    configure({ store, secret: "keyboard cat" });
    // @ts-expect-error the attributes stand beside the name, not below cookie
    configure({ store, cookie: { secure: true } });
    // @ts-expect-error cookieExpires
    configure({ store, maxAge: 60 });
  });

  test("closed lists are closed", () => {
    configure({
      store,
      sameSite: "strict",
      priority: "high",
      secure: "auto",
      onStoreError: "fail",
    });
    // @ts-expect-error in lower case
    configure({ store, sameSite: "Lax" });
    // @ts-expect-error no boolean, as others have it
    configure({ store, sameSite: true });
    // @ts-expect-error true, false or "auto"
    configure({ store, secure: "always" });
    // @ts-expect-error fail or anonymous
    configure({ store, onStoreError: "ignore" });
  });

  test("numbers are seconds and bytes, never text", () => {
    // @ts-expect-error seconds
    configure({ store, cookieExpires: "90d" });
    // @ts-expect-error seconds, no Date
    configure({ store, sessionExpires: new Date() });
    // @ts-expect-error bytes
    configure({ store, maxSessionBytes: "64kb" });
    // @ts-expect-error a function that tells the time, no time
    configure({ store, now: Date.now() });
  });

  test("it is read-only once it is built", () => {
    const config = configure({ store });
    // @ts-expect-error the engine was built from it
    config.name = "other";
  });

  test("undefined is as good as left out", () => {
    configure({ store, name: undefined, domain: undefined, signingKey: fromEnvironment });
  });
});

describe("rings of secrets", () => {
  test("of cookies hold both secrets, of server-side stores the one that signs", () => {
    const [cookieKey, signingKey] = [{} as CookieKey, {} as SigningKey];
    new SessionCookieStore({ keys: [cookieKey, { ...cookieKey, seals: false }] });
    configure({ store, keys: [signingKey, { ...signingKey, signs: false }] });
    // @ts-expect-error one of two keys is missing
    new SessionCookieStore({ keys: [{ secretKey: "…" }] });
    // @ts-expect-error the word for cookies
    configure({ store, keys: [{ signingKey: "…", seals: false }] });
    // @ts-expect-error a ring is an array
    configure({ store, keys: signingKey });
  });

  test("the cookie store takes nothing else", () => {
    // @ts-expect-error maxCookies
    new SessionCookieStore({ secretKey: "…", signingKey: "…", maxcookies: 2 });
    // @ts-expect-error keys are needed
    new SessionCookieStore();
    // @ts-expect-error a reader
    new SessionCookieStore({ secretKey: "…", signingKey: "…", migrateFrom: { name: "kocha" } });
  });
});

describe("observers", () => {
  test("each gets its own event", () => {
    const on: SessionObservers = {
      opened: ({ id }) => expectTypeOf(id).toEqualTypeOf<string>(),
      refused: ({ id, reason }) => {
        expectTypeOf(id).toEqualTypeOf<string>();
        expectTypeOf(reason).toExtend<string>();
        // @ts-expect-error no such reason
        if (reason === "expired") return;
      },
      rejected: (event) => {
        expectTypeOf(event.reason).toExtend<string>();
        // @ts-expect-error a cookie that is no session has no id
        void event.id;
      },
      storeError: ({ operation, error }) => {
        expectTypeOf(operation).toExtend<string>();
        expectTypeOf<typeof error.status>().toEqualTypeOf<503>();
      },
    };
    configure({ store, on });
    // @ts-expect-error the events are a closed list
    configure({ store, on: { expired: () => undefined } });
  });
});

describe("Kocha's cookies", () => {
  test("a map in, a map out", () => {
    const keys = { secretKey: "…", signingKey: "…" };
    expectTypeOf(openKochaCookie("…", keys)).toEqualTypeOf<Map<string, string> | undefined>();
    expectTypeOf(sealKochaCookie(new Map([["a", "1"]]), keys)).toEqualTypeOf<string>();
    new SessionCookieStore({ ...keys, migrateFrom: kochaCookies({ name: "kocha", ...keys }) });
    // @ts-expect-error a name is needed
    kochaCookies(keys);
  });
});

describe("other libraries' sessions", () => {
  const until = new Date();

  test("of cookies go to the cookie store, one or several", () => {
    const reader = ironSessionCookies({ cookieName: "a", password: { 1: "…" }, until });
    expectTypeOf(reader).toEqualTypeOf<ForeignCookies>();
    new SessionCookieStore({ secretKey: "…", signingKey: "…", migrateFrom: [reader] });
    ironSessionCookies({ cookieName: "a", password: "…", until, map: ({ user }) => ({ user }) });
    // @ts-expect-error until is needed
    ironSessionCookies({ cookieName: "a", password: "…" });
    // @ts-expect-error a cookie store's reader is no configuration's
    configure({ store, signingKey: "…", migrateFrom: reader });
  });

  test("of a server go to a configuration", () => {
    const rows = { load: () => undefined, delete: async () => 1 };
    const sessions = expressSessions({ secret: ["…", undefined], rows, until });
    configure({ store, signingKey: "…", migrateFrom: sessions });
    // @ts-expect-error they are no cookies
    new SessionCookieStore({ secretKey: "…", signingKey: "…", migrateFrom: sessions });
  });
});

test("the engine takes a configuration, or is one already", () => {
  const engine = new SessionMiddleware({ store });
  expectTypeOf(SessionMiddleware.from({ store })).toEqualTypeOf<SessionMiddleware>();
  expectTypeOf(SessionMiddleware.from(engine)).toEqualTypeOf<SessionMiddleware>();
  // @ts-expect-error a configuration is needed
  new SessionMiddleware();
});
