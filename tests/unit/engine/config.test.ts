// The configuration: every field's bad values by name, the prefixes, and the defaults against their
// own documentation.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { callsInFlightOf } from "../../../src/store/calls-in-flight.ts";
import { configDefaults, resolveConfig, type SessionConfig } from "../../../src/engine/config.ts";
import { eventNames } from "../../../src/events.ts";
import { SessionMiddleware } from "../../../src/session/middleware.ts";
import { DAY } from "../../../src/base/time.ts";
import { isSealed, type SessionStore } from "../../../src/store/contract.ts";
import { ConfigError } from "../../../src/errors.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";
import { Clock, makeStore } from "./client.ts";

const clock = new Clock();
const cookieStore = makeStore("cookie", clock);
const memoryStore = makeStore("memory", clock);

function build(config: object): unknown {
  return thrownBy(() => new SessionMiddleware(config as SessionConfig));
}

describe("defaults", () => {
  const source = readFileSync(new URL("../../../src/engine/config.ts", import.meta.url), "utf8");
  const fields = [
    ...source
      .slice(source.indexOf("export interface SessionConfig"), source.indexOf("export const"))
      .matchAll(/\/\*\* (.*?) \*\/\n {2}readonly (\w+)\??:/gs),
  ].map(([, comment = "", field = ""]) => ({ field, comment }));

  test("every default is in its field's comment, and every field in the interface", () => {
    const documented = fields.flatMap(({ field, comment }) => {
      const text = /Default (none|[^\s]+?)(?::|\.$|$)/.exec(comment)?.[1];
      return text === undefined || text === "none" || text === "Date.now" ? [] : [[field, text]];
    });
    const expected = Object.entries(configDefaults).map(([field, value]) => [
      field,
      JSON.stringify(value),
    ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(expected));
    expect(fields.length).toBeGreaterThan(20);
  });

  test("what is resolved from a store alone is the table of defaults", () => {
    const { cookie, store, on, now, storeTimeoutMs, inFlight, ...rest } = resolveConfig({
      store: cookieStore,
    });
    expect(inFlight).toBe(callsInFlightOf(cookieStore));
    expect({ ...cookie, ...rest, storeTimeout: storeTimeoutMs / 1000 }).toEqual({
      ...configDefaults,
      domain: undefined,
      priority: undefined,
      absoluteExpires: Infinity,
      signing: undefined,
    });
    expect([store, on, now]).toEqual([cookieStore, {}, Date.now]);
  });

  test("undefined is as good as leaving a field out, whatever the field", () => {
    const all = Object.fromEntries(fields.map(({ field }) => [field, undefined]));
    expect(resolveConfig({ ...all, store: cookieStore })).toEqual(
      resolveConfig({ store: cookieStore }),
    );
  });
});

describe("times that can only be milliseconds", () => {
  const most = { cookieExpires: 400 * DAY, sessionExpires: 400 * DAY, absoluteExpires: 3650 * DAY };

  test.each(Object.entries(most))(
    "%s: the error asks, and the longest is taken",
    (field, longest) => {
      expect(resolveConfig({ store: cookieStore, [field]: longest })).toMatchObject({
        [field]: longest,
      });
      for (const given of [longest + 1, 30 * DAY * 1000, Number.MAX_SAFE_INTEGER]) {
        const error = thrownBy(() =>
          resolveConfig({ store: cookieStore, [field]: given }),
        ) as Error;
        expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG_FIELD", field });
        expect(error.message).toContain("milliseconds?");
        expect(error.message).not.toContain("whole number");
      }
    },
  );

  test("storeTimeout: the error asks over a minute", () => {
    const { storeTimeoutMs } = resolveConfig({ store: cookieStore, storeTimeout: 60 });
    expect(storeTimeoutMs).toBe(60_000);
    for (const given of [60.5, 500, 5000]) {
      const error = thrownBy(() => resolveConfig({ store: cookieStore, storeTimeout: given }));
      expect(error).toMatchObject({
        field: "storeTimeout",
        message: expect.stringContaining("milliseconds?") as string,
      });
    }
  });

  test("renewAfter is a part, and no time at all", () => {
    const error = thrownBy(() =>
      resolveConfig({ store: cookieStore, renewAfter: 60_000 }),
    ) as Error;
    expect(error.message).toContain("no time");
  });
});

test.each([
  ["written for express-session", { get() {}, set() {}, destroy() {} }, "fromExpressStore"],
  ["an object", {}, "new SessionCookieStore"],
  ["nothing", undefined, "new SessionCookieStore"],
  ["null", null, "new SessionCookieStore"],
])("a store that is %s: the error names the way", (_, store, way) => {
  const error = thrownBy(() => resolveConfig({ store: store as never })) as Error;
  expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG_STORE", field: "store" });
  expect(error.message).toContain(way);
});

describe("bad values are refused with the field's name", () => {
  const wrong: Record<string, readonly unknown[]> = {
    name: [5, null, "", "a b", "a;b", "a=b", "é", "a\0", "a".repeat(241), "sid.abc123", "x.split1"],
    cookieExpires: [null, "60", NaN, 1.5, -2, Infinity, 3_155_760_001, new Date()],
    sessionExpires: [null, "60", NaN, 0.5, -1.5, Infinity],
    absoluteExpires: [null, 0, -1, 1.5, NaN, "60", Infinity],
    renewAfter: [null, -0.1, 1.1, NaN, "0.1"],
    path: [null, "", "app", "/a;b", "/a\nb", "/é", `/${"a".repeat(1024)}`, 5],
    domain: [null, "", ".example.org", "example.org:80", "https://a", "-a.b", "a..b", "a_b", 5],
    sameSite: [null, "Lax", "", true, 5],
    partitioned: [null, "yes", 1],
    priority: [null, "High", "", 1],
    secure: [null, "Auto", "true", 1],
    httpOnly: [null, "true", 0],
    vary: [null, "Always", "never", "", true],
    storeTimeout: [null, 0, -1, 3601, NaN, "1", Infinity],
    onStoreError: [null, "ignore", true],
    maxKeyBytes: [null, 0, -1, 1.5, "256", NaN],
    maxKeys: [null, 0, Infinity],
    maxSessionBytes: [null, 0, 2 ** 60],
    now: [null, 5, new Date()],
    on: [null, "log", 5],
    store: [undefined, null, {}, "memory", { load: () => undefined }, { save: () => undefined }],
  };

  test.each(
    Object.entries(wrong).flatMap(([field, values]) => values.map((value) => [field, value])),
  )("%s: %j", (field, value) => {
    const error = build({ store: cookieStore, [String(field)]: value });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ name: "ConfigError", field });
    const { message } = error as ConfigError;
    expect(message.startsWith(`${String(field)}: `)).toBe(true);
    expect(message).not.toMatch(/\.$/);
  });

  test("a count that is too large, with the largest", () => {
    for (const field of ["maxKeyBytes", "maxKeys", "maxSessionBytes"]) {
      const error = build({ store: cookieStore, [field]: 2 ** 32 + 1 }) as ConfigError;
      expect(error.message).toContain(
        `${field}: must be a whole number from 1 to 4294967296, not 4294967297 (see`,
      );
    }
  });

  test("a configuration that is none", () => {
    for (const config of [undefined, null, "cookie", 5, []]) {
      expect(thrownBy(() => resolveConfig(config as unknown as SessionConfig))).toBeInstanceOf(
        ConfigError,
      );
    }
  });

  test("an unknown field, with the one that was meant", () => {
    expect(build({ store: cookieStore, httponly: true })).toMatchObject({
      field: "httponly",
      message: expect.stringMatching(
        /^httponly: is not an option of the configuration; did you mean httpOnly\? \(see /,
      ) as string,
    });
    expect(build({ store: cookieStore, maxAge: 5 })).toMatchObject({
      field: "maxAge",
      message: expect.stringContaining("known are store, name, cookieExpires") as string,
    });
  });

  test("observers that are none of the events, or no functions", () => {
    expect(build({ store: cookieStore, on: { opend: () => 1 } })).toMatchObject({
      field: "on.opend",
    });
    expect(build({ store: cookieStore, on: { opened: "log" } })).toMatchObject({
      field: "on.opened",
    });
    const all = Object.fromEntries(eventNames.map((name) => [name, undefined]));
    expect(() => new SessionMiddleware({ store: cookieStore, on: all })).not.toThrow();
  });
});

describe("keys are where the store needs them", () => {
  test("a server-side store needs a key to sign, and its message says what makes one", () => {
    expect(build({ store: memoryStore })).toMatchObject({
      code: "ERR_SESSION_CONFIG_KEY",
      field: "signingKey",
      message: expect.stringContaining("npx kocha-session keygen") as string,
    });
    expect(build({ store: memoryStore, signingKey: "c2hvcnQ=" })).toMatchObject({
      code: "ERR_SESSION_CONFIG_KEY",
    });
    const signingKey = freshKey();
    expect(build({ store: memoryStore, signingKey, keys: [{ signingKey }] })).toMatchObject({
      field: "keys",
    });
    expect(
      () => new SessionMiddleware({ store: memoryStore, keys: [{ signingKey }] }),
    ).not.toThrow();
  });

  test("a cookie store has keys of its own, so the configuration takes none", () => {
    expect(build({ store: cookieStore, signingKey: freshKey() })).toMatchObject({
      field: "signingKey",
    });
    expect(build({ store: cookieStore, keys: [freshKeys()] })).toMatchObject({ field: "keys" });
  });
});

describe("cookie prefixes against the attributes", () => {
  const host = { secure: true, path: "/", domain: undefined, httpOnly: true };
  test.each([
    ["__Host-a", {}, undefined],
    ["__Host-a", { httpOnly: false }, undefined],
    ["__Host-a", { secure: false }, "name"],
    ["__Host-a", { secure: "auto" }, "name"],
    ["__Host-a", { path: "/app" }, "path"],
    ["__Host-a", { domain: "a.example" }, "domain"],
    ["__host-a", { domain: "a.example" }, "domain"],
    ["__HOST-a", { secure: false }, "name"],
    ["__Secure-a", {}, undefined],
    ["__Secure-a", { domain: "a.example", path: "/app", httpOnly: false }, undefined],
    ["__Secure-a", { secure: false }, "name"],
    ["__sEcUrE-a", { secure: "auto" }, "name"],
    ["__Http-a", { domain: "a.example", path: "/app" }, undefined],
    ["__Http-a", { secure: false }, "name"],
    ["__http-a", { httpOnly: false }, "httpOnly"],
    ["__Host-Http-a", {}, undefined],
    ["__Host-Http-a", { secure: false }, "name"],
    ["__Host-Http-a", { httpOnly: false }, "httpOnly"],
    ["__Host-Http-a", { domain: "a.example" }, "domain"],
    ["__host-http-a", { path: "/app" }, "path"],
    ["Host-a", { secure: false, path: "/app", domain: "a.example" }, undefined],
    ["a", { sameSite: "none" }, undefined],
    ["a", { sameSite: "none", secure: false }, "sameSite"],
    ["a", { sameSite: "none", secure: "auto" }, "sameSite"],
    ["a", { partitioned: true }, undefined],
    ["a", { partitioned: true, secure: false }, "partitioned"],
    ["a", { partitioned: true, secure: "auto" }, "partitioned"],
  ] as const)("%s with %o: %s", (name, attributes, field) => {
    const config = { store: cookieStore, name, ...host, ...attributes };
    const outcome = (): string | undefined => {
      try {
        return void new SessionMiddleware(config);
      } catch (error) {
        return (error as ConfigError).field;
      }
    };
    expect(outcome()).toBe(field);
  });
});

test("one engine for one configuration object, and an engine is its own", () => {
  const config = { store: cookieStore };
  const engine = SessionMiddleware.from(config);
  expect(SessionMiddleware.from(config)).toBe(engine);
  expect(SessionMiddleware.from(engine)).toBe(engine);
  expect(SessionMiddleware.from({ ...config })).not.toBe(engine);
});

test("a user's own store of two methods is taken as it is", () => {
  const store: SessionStore = { load: () => undefined, save: () => undefined };
  expect(isSealed(store)).toBe(false);
  expect(() => new SessionMiddleware({ store, signingKey: freshKey() })).not.toThrow();
});
