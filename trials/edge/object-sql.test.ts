// Sessions and revocations in the SQL of one Durable Object, on real workerd: the store runs inside of the
// object, and the laws call it from here.
import { afterAll, describe, expect, test } from "vitest";
import type { RevocationLog, RevocationPage } from "../../src/revocations/revocations.ts";
import { followReaders, RevocationFollower } from "../../src/revocations/follower.ts";
import { readOptions } from "../../src/base/options.ts";
import type { ListedSession, SavedSession, StoredSession } from "../../src/store/contract.ts";
import { newSelector } from "../../src/testing/history.ts";
import { fakeClock } from "../../src/testing/index.ts";
import { describeLog } from "../../tests/stores/revocations/log-laws.ts";
import {
  change,
  creation,
  describeLaws,
  describeRows,
  newTable,
  type SqlStore,
} from "../../tests/stores/sql.ts";
import { sqliteSubject } from "../../tests/stores/sqlite-subject.ts";
import { decode, encode } from "./wire.ts";
import { bundle, COMPATIBILITY_DATE, start } from "./workerd.ts";

const miniflare = await start([
  {
    name: "place",
    modules: true,
    script: await bundle("object-sql.mjs"),
    compatibilityDate: COMPATIBILITY_DATE,
    durableObjects: { PLACE: { className: "Place", useSQLite: true } },
  },
]);
afterAll(() => miniflare.dispose());

/** Calls a method of the object. */
async function ask(method: string, ...args: readonly unknown[]): Promise<unknown> {
  const body = encode([method, ...args]);
  const response = await miniflare.dispatchFetch("http://place/", { method: "POST", body });
  const { answer, error } = decode(await response.text()) as {
    answer?: unknown;
    error?: { readonly name: string; readonly message: string };
  };
  if (error !== undefined) throw Object.assign(new Error(error.message), { name: error.name });
  return answer;
}

/** The store in the object, called from here. */
function remoteStore(table: string, now: () => number): SqlStore {
  const call = (method: string, ...args: readonly unknown[]) =>
    ask("store", table, now(), method, args);
  return {
    capabilities: { atomic: true, expects: true, durable: true, lists: true },
    load: (selector) => call("load", selector) as Promise<StoredSession | undefined>,
    save: (selector, made) => call("save", selector, made) as Promise<SavedSession | undefined>,
    list: async function* (subject) {
      yield* (await call("list", subject)) as ListedSession[];
    },
    destroyAll: (subject, options = {}) => call("destroyAll", subject, options) as Promise<number>,
    sweep: (limit) => call("sweep", limit) as Promise<number>,
  };
}

describe("the SQLite store in a Durable Object", async () => {
  const clock = fakeClock();
  const subject = sqliteSubject({
    name: "ctx.storage.sql",
    clock,
    makeStore: async (table) => {
      const store = remoteStore(table, clock.now);
      // It makes the table.
      await store.sweep(0);
      return store;
    },
    execute: (text) => ask("execute", text),
  });
  await describeLaws(subject);
  describeRows(subject);
});

describeLog({
  name: "ctx.storage.sql",
  makeLog: async (page) => {
    const table = newTable();
    const call = (method: string, ...args: readonly unknown[]) =>
      ask("log", table, page, method, args);
    const log: RevocationLog & Required<Pick<RevocationLog, "sweep">> = {
      append: (entry) => call("append", entry) as ReturnType<RevocationLog["append"]>,
      read: (cursor) => call("read", cursor) as Promise<RevocationPage>,
      sweep: (limit) => call("sweep", limit) as Promise<number>,
    };
    return {
      log,
      follow: (options) =>
        new RevocationFollower(log, readOptions("the log", options, followReaders())),
      empty: async () => {
        await ask("execute", `DELETE FROM ${table}`);
        await ask("execute", `DELETE FROM sqlite_sequence WHERE name = '${table}'`);
      },
    };
  },
});

test("it answers at once, as the storage does", async () => {
  expect(await ask("isAtOnce", newTable())).toBe(true);
});

test("a row over the object's limit is a LimitError, and the session stays as it was", async () => {
  const store = remoteStore(newTable(), Date.now);
  const selector = newSelector();
  const large = "x".repeat(1_500_000);
  await store.save(selector, creation({ a: large }));
  const grown = change({
    set: new Map([
      ["b", large],
      ["c", large],
    ]),
  });
  await expect(store.save(selector, grown)).rejects.toMatchObject({
    name: "LimitError",
    message: expect.stringMatching(
      /45000\d\d bytes in the database.*no row over 2000000/,
    ) as string,
  });
  expect([...((await store.load(selector))?.data.keys() ?? [])]).toEqual(["a"]);
});
