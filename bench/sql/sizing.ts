// `npm run sizing:sql`: the bytes that a small session takes on each SQL engine, with its indexes,
// beside connect-pg-simple in the same run: as created, and after each was written once more.
import { mkdirSync, writeFileSync } from "node:fs";
import connectPgSimple from "connect-pg-simple";
import session, { type SessionData } from "express-session";
import type pg from "pg";
import type { SessionChange } from "../../src/store/contract.ts";
import { encodeMeta } from "../../src/engine/ticketed/meta.ts";
import { mintSelector } from "../../src/store/selector.ts";
import { sessions } from "../lib/data.ts";
import { describeMachine } from "../lib/machine.ts";
import { openMysql, openPostgres, openSqlite, postgresBytes, type SqlStore } from "./engines.ts";
import { option, readArguments } from "../../trials/lib/arguments.ts";

const { rows: SESSIONS } = readArguments("sizing:sql", {
  rows: option.number(100_000, "sessions"),
});
const root = new URL("../../", import.meta.url);
/** Told at the start: the sources may go on while it runs. */
const machine = describeMachine(root);
/** Saves that are under way at once. */
const AT_ONCE = 16;
const DAY = 86_400_000;
/** Sessions of one user, where they are bound. */
const EACH = 3;

type Bytes = Readonly<Record<string, number>>;

/** What a session takes: all of it, and each part. */
interface Size {
  readonly bytes: number;
  readonly parts: Bytes;
}

/** Whoever keeps sessions, by their number. */
interface Subject {
  readonly create: (index: number) => Promise<void>;
  /** One key gets another value, and the session a new end. */
  readonly write: (index: number) => Promise<void>;
  readonly bytes: () => Promise<Bytes>;
}

const data = new Map(Object.entries(sessions.small));

function change(more: Partial<SessionChange>): SessionChange {
  return { op: "update", rev: 1, set: new Map(), del: [], ttl: DAY, deadline: Infinity, ...more };
}

/** Our store, with sessions of nobody or of users. */
function ours(store: SqlStore, bytes: () => Promise<Bytes>, isBound: boolean): Subject {
  const keys = Array.from({ length: SESSIONS }, mintSelector);
  return {
    create: async (index) => {
      const created = Date.now();
      const subject = `user-${Math.floor(index / EACH)}`;
      const notes = {
        created,
        deadline: Infinity,
        barriers: 0,
        barrierAt: 0,
        boundAt: isBound ? created : 0,
      };
      const meta = encodeMeta({ ...notes, ...(isBound && { subject }) });
      const { rev: _, ...creation } = change({ op: "create", set: data, meta });
      await store.save(keys[index] ?? "", { ...creation, ...(isBound && { subject }) });
    },
    write: async (index) => {
      await store.save(keys[index] ?? "", change({ set: new Map([["csrf", newSecret()]]) }));
    },
    bytes,
  };
}

/** connect-pg-simple, with what express-session hands it. */
function theirs(pool: pg.Pool): Subject {
  const Store = connectPgSimple(session);
  const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false });
  const ids = Array.from(
    { length: SESSIONS },
    () => `${mintSelector()}${mintSelector().slice(12)}`,
  );
  const set = (index: number, csrf: string): Promise<void> => {
    const expires = new Date(Date.now() + DAY);
    const cookie = { originalMaxAge: DAY, expires, httpOnly: true, path: "/" };
    const held = { cookie, ...sessions.small, csrf } as unknown as SessionData;
    return new Promise((resolve, reject) => {
      store.set(ids[index] ?? "", held, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
  };
  return {
    create: (index) => set(index, data.get("csrf") ?? ""),
    write: (index) => set(index, newSecret()),
    bytes: () => postgresBytes(pool, "session"),
  };
}

/** As long as the one that was there. */
function newSecret(): string {
  return `${mintSelector()}${mintSelector()}`.slice(0, data.get("csrf")?.length);
}

async function forAll(work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < SESSIONS) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function measure(name: string, subject: Subject): Promise<object> {
  const size = async (): Promise<Size> => {
    const parts = Object.entries(await subject.bytes());
    const each = (bytes: number): number => Math.round(bytes / SESSIONS);
    return {
      bytes: each(parts.reduce((sum, [, bytes]) => sum + bytes, 0)),
      parts: Object.fromEntries(parts.map(([part, bytes]) => [part, each(bytes)])),
    };
  };
  await forAll(subject.create);
  const created = await size();
  await forAll(subject.write);
  const written = await size();
  console.log(`${name}: ${created.bytes} bytes a session, ${written.bytes} after a write each`);
  return { created, written };
}

/** Its table is made at its first use: all of them at once would each make it. */
async function peer(pool: pg.Pool): Promise<Subject> {
  const subject = theirs(pool);
  await subject.create(0);
  return subject;
}

const results: Record<string, object> = {};
for (const isBound of [false, true]) {
  const suffix = isBound ? ", bound" : "";
  const sqlite = await openSqlite();
  results[`SQLite${suffix}`] = await measure(
    `SQLite${suffix}`,
    ours(sqlite.store, sqlite.bytes, isBound),
  );
  await sqlite.close();
  const postgres = await openPostgres();
  results[`PostgreSQL${suffix}`] = await measure(
    `PostgreSQL${suffix}`,
    ours(postgres.store, postgres.bytes, isBound),
  );
  if (!isBound) {
    results["connect-pg-simple"] = await measure("connect-pg-simple", await peer(postgres.pool));
  }
  await postgres.close();
  const mariadb = await openMysql();
  results[`MariaDB${suffix}`] = await measure(
    `MariaDB${suffix}`,
    ours(mariadb.store, mariadb.bytes, isBound),
  );
  await mariadb.close();
}

const folder = new URL("bench/results/", root);
mkdirSync(folder, { recursive: true });
// A look isn't a result.
const file = SESSIONS === 100_000 ? "sizing-sql.json" : "sizing-sql.quick.json";
const json = JSON.stringify(sessions.small).length;
const result = { machine, sessions: SESSIONS, json, results };
writeFileSync(new URL(file, folder), `${JSON.stringify(result, undefined, 1)}\n`);
