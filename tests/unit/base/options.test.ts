// The wording of every wrong option in one place, and that each maker of a store or a log uses it.
import { Redis } from "ioredis";
import {
  ConfigError,
  followRevocations,
  memoryRevocations,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { fromExpressStore } from "kocha-session/express-store";
import { SessionMemcachedStore } from "kocha-session/memcached";
import { SessionMysqlStore } from "kocha-session/mysql";
import { postgresRevocations, SessionPostgresStore } from "kocha-session/postgres";
import { redisRevocations, SessionRedisStore } from "kocha-session/redis";
import { SessionSqliteStore, sqliteRevocations } from "kocha-session/sqlite";
import { SessionUnstorageStore } from "kocha-session/unstorage";
import Database from "libsql";
import { createStorage } from "unstorage";
import { afterAll, describe, expect, test } from "vitest";
import {
  callback,
  clock,
  count,
  flag,
  hasMethods,
  oneOf,
  option,
  type Reader,
  readOptions,
  type Readers,
  required,
  seconds,
  text,
  unchecked,
} from "../../../src/base/options.ts";
import { freshKeys } from "../../support/keys.ts";
import * as fetchHost from "../../../src/hosts/fetch.ts";
import * as nodeHost from "../../../src/hosts/node.ts";
import { thrownBy } from "../../support/thrown.ts";

function read(options: unknown, table: Record<string, Reader<unknown>>, path?: string): unknown {
  return readOptions("the thing", options as object, table as Readers<object>, path);
}

function messageOf(reader: Reader<unknown>, value: unknown): string | undefined {
  return (thrownBy(() => read({ field: value }, { field: reader })) as Error | undefined)?.message;
}

describe("the words for a wrong value", () => {
  const time = seconds(1, 60, "a minute");
  test.each<[Reader<unknown>, unknown, string]>([
    [text("a"), 5, "must be a string, not 5"],
    [text("a"), null, "must be a string, not null"],
    [flag(true), "a secret", "must be true or false, not a string of length 8"],
    [oneOf(["a", "b", "c"], "a"), "d", 'must be "a", "b" or "c", not a string of length 1'],
    [oneOf([true, false, "auto"], true), 1, 'must be true, false or "auto", not 1'],
    [count(1), 0, "must be a whole number from 1 to 4294967296, not 0"],
    [count(1, 1, 4), 1.5, "must be a whole number from 1 to 4, not 1.5"],
    [count(1), Infinity, "must be a whole number from 1 to 4294967296, not Infinity"],
    [count(1), "1", "must be a whole number from 1 to 4294967296, not a string of length 1"],
    [time, 0, "must be a number of seconds over 0, not 0"],
    [time, Number.NaN, "must be a number of seconds over 0, not NaN"],
    [time, 5000, "must be at most 60 seconds, a minute; is 5000 in milliseconds?"],
    [callback(), {}, "must be a function, not an object"],
    [clock(), [], "must be a function, not an array"],
    [option("even", (value) => Number(value) % 2 === 0, 2), true, "must be even, not true"],
    [required("a client", () => false), undefined, "must be a client, not undefined"],
  ])("%o of %o: %s", (reader, value, message) => {
    expect(messageOf(reader, value)).toContain(`field: ${message} (see `);
  });

  test("what is right is taken, and a default stands for undefined only", () => {
    const table = {
      a: text("x"),
      b: flag(true),
      c: oneOf(["y", "z"], undefined),
      d: count(7),
      e: seconds(undefined),
      f: unchecked,
      g: clock(),
      h: callback(),
    };
    const defaults = { a: "x", b: true, c: undefined, d: 7, e: undefined, f: undefined };
    expect(read({ a: undefined }, table)).toEqual({ ...defaults, g: Date.now, h: undefined });
    const given = { a: "", b: false, c: "z", d: 1, e: 0.5, f: null, g: () => 0, h: () => 1 };
    expect(read(given, table)).toEqual(given);
  });

  test("options may be those of a class, and nobody's prototype is asked for a name", () => {
    class Options {
      get a(): string {
        return "inherited";
      }
    }
    expect(read(new Options(), { a: text("") })).toEqual({ a: "inherited" });
    for (const name of ["toString", "__proto__", "constructor"]) {
      const options = JSON.parse(`{"${name}": 1}`) as object;
      expect(thrownBy(() => read(options, { a: text("") }))).toMatchObject({ field: name });
    }
  });

  test("methods count wherever they come from", () => {
    expect(hasMethods(new Map(), "get", "set")).toBe(true);
    expect([hasMethods({ get: 1 }, "get"), hasMethods(null, "get")]).toEqual([false, false]);
  });
});

describe("the words for an unknown option", () => {
  const table = { maxEntries: count(1), onEvict: callback(), now: clock() };
  test.each([
    ["maxentries", "did you mean maxEntries?"],
    ["maxEntry", "known are maxEntries, onEvict, now"],
    ["maxEntires", "did you mean maxEntries?"],
    ["onEvicts", "did you mean onEvict?"],
    ["onevit", "did you mean onEvict?"],
    ["nwo", "known are maxEntries, onEvict, now"],
    ["no", "known are maxEntries, onEvict, now"],
    ["NOW", "did you mean now?"],
    ["ttl", "known are maxEntries, onEvict, now"],
    ["", "known are maxEntries, onEvict, now"],
  ])("%s: %s", (name, hint) => {
    const error = thrownBy(() => read({ [name]: undefined }, table));
    expect(error).toMatchObject({
      name: "ConfigError",
      code: "ERR_SESSION_CONFIG_FIELD",
      field: name,
      message: expect.stringContaining(
        `${name}: is not an option of the thing; ${hint} (see`,
      ) as string,
    });
  });

  test("an option of an option is named by its path", () => {
    expect(thrownBy(() => read({ b: 1 }, { a: text("") }, "keys[1]."))).toMatchObject({
      field: "keys[1].b",
    });
    expect(thrownBy(() => read(null, {}, "keys[1]."))).toMatchObject({
      message: expect.stringMatching(
        /^keys\[1\]: must be an object with options of the thing, not null \(see /,
      ) as string,
    });
  });
});

describe("every maker", () => {
  const database = new Database(":memory:");
  const redis = new Redis({ lazyConnect: true });
  afterAll(() => redis.disconnect());
  const log = { append: () => undefined, read: () => undefined };
  const express = { get() {}, set() {}, destroy() {} };
  const postgres = { query: async () => ({ rows: [] }), connect() {} };
  const memcached = { getNodesByKey: async () => [] };
  const config = { store: new SessionCookieStore(freshKeys()) };
  const handler = (): Response => new Response();
  const makers: Record<string, readonly [make: (options: never) => unknown, options: object]> = {
    SessionMiddleware: [
      (options) => new SessionMiddleware(options),
      { store: new SessionMemoryStore() },
    ],
    SessionCookieStore: [(options) => new SessionCookieStore(options), freshKeys()],
    SessionMemoryStore: [(options) => new SessionMemoryStore(options), {}],
    SessionSqliteStore: [(options) => new SessionSqliteStore(options), { client: database }],
    SessionPostgresStore: [(options) => new SessionPostgresStore(options), { client: postgres }],
    SessionMysqlStore: [(options) => new SessionMysqlStore(options), { client: { execute() {} } }],
    SessionRedisStore: [(options) => new SessionRedisStore(options), { client: redis }],
    SessionMemcachedStore: [(options) => new SessionMemcachedStore(options), { client: memcached }],
    SessionUnstorageStore: [
      (options) => new SessionUnstorageStore(options),
      { storage: createStorage(), acceptRaces: true },
    ],
    fromExpressStore: [(options) => fromExpressStore(express, options), { acceptRaces: true }],
    memoryRevocations: [memoryRevocations, {}],
    followRevocations: [(options) => followRevocations(log as never, options), {}],
    sqliteRevocations: [sqliteRevocations, { client: database }],
    postgresRevocations: [postgresRevocations, { client: postgres }],
    redisRevocations: [redisRevocations, { client: redis }],
    "withSession (fetch)": [(options) => fetchHost.withSession(config, handler, options), {}],
    "withSession (node)": [(options) => nodeHost.withSession(config, handler, options), {}],
  };

  test.each(Object.entries(makers))("%s refuses what it doesn't know", (name, [make, options]) => {
    const of = name === "SessionMiddleware" ? "the configuration" : name.replace(/ .*/, "");
    const refusal = thrownBy(() => make({ ...options, frobnicate: undefined } as never));
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(refusal).toMatchObject({ code: "ERR_SESSION_CONFIG_FIELD", field: "frobnicate" });
    expect((refusal as Error).message).toContain(
      `frobnicate: is not an option of ${of}; known are`,
    );
    for (const none of [null, 5, []]) {
      expect(thrownBy(() => make(none as never))).toMatchObject({
        code: "ERR_SESSION_CONFIG_FIELD",
        message: expect.stringContaining(
          `options: must be an object with options of ${of}`,
        ) as string,
      });
    }
  });

  test.each(Object.entries(makers))("%s is made without its options", (name, [make, options]) => {
    if (name === "SessionMiddleware")
      Object.assign(options, { signingKey: freshKeys().signingKey });
    expect(() => make(options as never)).not.toThrow();
  });
});
