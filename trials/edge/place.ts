// A database in workerd, called from a test: the store and the log run there, and here their laws.
import type { Miniflare } from "miniflare";
import { readOptions } from "../../src/base/options.ts";
import { followReaders, RevocationFollower } from "../../src/revocations/follower.ts";
import type { RevocationLog, RevocationPage } from "../../src/revocations/revocations.ts";
import type { ListedSession, SavedSession, StoredSession } from "../../src/store/contract.ts";
import { fakeClock } from "../../src/testing/index.ts";
import { describeLog } from "../../tests/stores/revocations/log-laws.ts";
import { describeLaws, describeRows, newTable, type SqlStore } from "../../tests/stores/sql.ts";
import { sqliteSubject } from "../../tests/stores/sqlite-subject.ts";
import { decode, encode } from "./wire.ts";

/** Calls a method of `Place` in workerd. */
export type Ask = (method: string, ...args: readonly unknown[]) => Promise<unknown>;

/** The way to the place of a worker, which is the first of its workerd. */
export function askerOf(miniflare: Miniflare): Ask {
  return async (method, ...args) => {
    const body = encode([method, ...args]);
    const response = await miniflare.dispatchFetch("http://place/", { method: "POST", body });
    const { answer, error } = decode(await response.text()) as {
      answer?: unknown;
      error?: { readonly name: string; readonly message: string };
    };
    if (error !== undefined) throw Object.assign(new Error(error.message), { name: error.name });
    return answer;
  };
}

/** The place's store on a table, which it makes. */
export function remoteStore(ask: Ask, table: string, now: () => number): SqlStore {
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

/** Registers the laws of the store and of the log. */
export async function describePlace(name: string, ask: Ask): Promise<void> {
  await describeStore(name, ask);
  describeLog({
    name,
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
}

async function describeStore(name: string, ask: Ask): Promise<void> {
  const clock = fakeClock();
  const subject = sqliteSubject({
    name,
    clock,
    makeStore: async (table) => {
      const store = remoteStore(ask, table, clock.now);
      // Its first call makes the table.
      await store.sweep(0);
      return store;
    },
    execute: (text) => ask("execute", text),
  });
  await describeLaws(subject);
  describeRows(subject);
}
