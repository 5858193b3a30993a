// `RevocationObject`: one object holds a log of revocations. A record that changes gets a new number, and an object
// runs one call at a time, so numbers appear in order.
import { SECOND } from "../../base/time.ts";
import {
  mergeRecords,
  type RevocationEntry,
  type RevocationRecord,
  toRecord,
} from "../../revocations/revocations.ts";
import type { DurableState, DurableStorage } from "./platform.ts";
import { mustKnow, type RevocationCalls } from "./protocol.ts";
import { type Answers, serve, sqliteStorageOf } from "./serve.ts";

const TABLE = `CREATE TABLE IF NOT EXISTS revocations (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  until INTEGER NOT NULL,
  record TEXT NOT NULL,
  nonce TEXT
);
CREATE INDEX IF NOT EXISTS revocations_until ON revocations (until);`;
/** Records that one alarm removes. */
const SWEEP = 10_000;
/** The least time between two alarms, in milliseconds. */
const PAUSE: number = 60 * SECOND;

const entryFields: { readonly [Name in keyof Required<RevocationEntry>]: true } = {
  kind: true,
  id: true,
  ttl: true,
  before: true,
  except: true,
  nonce: true,
};

/** The known record of an entry's kind and id. */
interface Known {
  readonly record: RevocationRecord;
  /** Of a credential: that of its first entry. */
  readonly nonce: string | null;
}

/**
 * The Durable Object class of a log, for `durableRevocations`: export it from the worker's module, and list it in
 * `new_sqlite_classes` of a migration.
 */
export class RevocationObject {
  /** What the platform's types know a Durable Object class by. */
  declare readonly __DURABLE_OBJECT_BRAND: never;
  readonly #state: DurableState;
  /** Its storage, once it was looked at and has the table. */
  #checked: DurableStorage | undefined;
  readonly #answers: Answers<RevocationCalls> = {
    append: { fields: ["entry"], answer: ({ entry }) => this.#append(entry) },
    read: { fields: ["cursor", "limit"], answer: (fields) => this.#read(fields) },
    sweep: { fields: ["limit"], answer: ({ limit }) => this.#sweep(limit) },
  };

  /** The platform calls it. */
  constructor(state: DurableState, _env?: unknown) {
    this.#state = state;
  }

  /** Answers a call of `durableRevocations`; nothing else calls it. */
  fetch(request: Request): Promise<Response> {
    return serve("RevocationObject", request, this.#answers);
  }

  /** Removes records past their end. The platform calls it. */
  async alarm(): Promise<void> {
    this.#sweep(SWEEP);
    const [next] = this.#rows("SELECT min(until) AS until FROM revocations");
    const until = next?.["until"];
    if (typeof until !== "number") return;
    await this.#storage.setAlarm(Math.max(until, Date.now() + PAUSE));
  }

  get #storage(): DurableStorage {
    if (this.#checked !== undefined) return this.#checked;
    const storage = sqliteStorageOf(this.#state);
    storage.sql.exec(TABLE);
    this.#checked = storage;
    return storage;
  }

  async #append(entry: RevocationEntry): Promise<ReturnType<RevocationCalls["append"]>> {
    mustKnow("an entry", entry, Object.keys(entryFields));
    const alarm = await this.#storage.getAlarm();
    // ORDER: nothing is awaited from here to the write, which are then one step.
    const name = `${entry.kind} ${JSON.stringify(entry.id)}`;
    const known = this.#known(name);
    const added = toRecord(entry, Date.now(), known?.record);
    const record = known === undefined ? added : mergeRecords(known.record, added);
    const { nonce = null } = known ?? entry;
    const until = Math.ceil(record.until);
    this.#rows(
      "INSERT OR REPLACE INTO revocations (name, until, record, nonce) VALUES (?, ?, ?, ?)",
      name,
      until,
      JSON.stringify(record),
      nonce,
    );
    if (alarm === null) await this.#storage.setAlarm(until);
    const isFirst =
      entry.kind !== "credential" || (entry.nonce !== undefined && entry.nonce === nonce);
    return { record, isFirst };
  }

  #read({
    cursor,
    limit,
  }: Parameters<RevocationCalls["read"]>[0]): ReturnType<RevocationCalls["read"]> {
    const [newest] = this.#rows("SELECT max(number) AS number FROM revocations");
    // An object that was restored has smaller numbers: read all of it.
    const isBehind = Number(newest?.["number"] ?? 0) < Number(cursor ?? 0);
    const start = isBehind ? 0 : Number(cursor ?? 0);
    const rows = this.#rows(
      "SELECT number, record FROM revocations WHERE number > ? ORDER BY number LIMIT ?",
      start,
      limit,
    );
    return {
      records: rows.map(({ record }) => JSON.parse(String(record)) as RevocationRecord),
      cursor: String(Number(rows.at(-1)?.["number"] ?? start)),
      more: rows.length === limit,
      now: Date.now(),
    };
  }

  #sweep(limit: number): number {
    const gone = this.#rows(
      "DELETE FROM revocations WHERE number IN (SELECT number FROM revocations WHERE until <= ? ORDER BY until LIMIT ?) RETURNING number",
      Date.now(),
      limit,
    );
    return gone.length;
  }

  #known(name: string): Known | undefined {
    const [row] = this.#rows("SELECT record, nonce FROM revocations WHERE name = ?", name);
    if (row === undefined) return undefined;
    const { record, nonce } = row as { record: string; nonce: string | null };
    return { record: JSON.parse(record) as RevocationRecord, nonce };
  }

  #rows(query: string, ...bindings: (string | number | null)[]): Record<string, unknown>[] {
    return this.#storage.sql.exec(query, ...bindings).toArray();
  }
}
