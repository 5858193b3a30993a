// A log of revocations on a Map: right in all that the log's laws ask, and made of parts that a
// mutant breaks.
import {
  type AppendedRevocation,
  mergeRecords,
  type RevocationEntry,
  type RevocationPage,
  type RevocationRecord,
  toRecord,
} from "kocha-session/contract";
import { readOptions } from "../../../src/base/options.ts";
import { followReaders, RevocationFollower } from "../../../src/revocations/follower.ts";
import type { LogPlace } from "./log-laws.ts";

/** A record, the nonce of its first entry, and its place in the order of changes. */
export interface PlainRow {
  readonly record: RevocationRecord;
  readonly nonce: string | undefined;
  readonly place: number;
}

/** One log in memory. */
export class PlainLog {
  protected readonly rows = new Map<string, PlainRow>();
  protected places = 0;
  readonly #page: number;

  constructor(page = 1000) {
    this.#page = page;
  }

  protected get now(): number {
    return Date.now();
  }

  async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    const { kind, id, nonce } = entry;
    const name = `${kind} ${id}`;
    const known = this.rows.get(name);
    const row = this.merge(known, entry);
    this.rows.set(name, { ...row, place: ++this.places });
    return { record: row.record, isFirst: kind !== "credential" || row.nonce === nonce };
  }

  protected merge(known: PlainRow | undefined, entry: RevocationEntry): Omit<PlainRow, "place"> {
    const record = toRecord(entry, this.now, known?.record);
    if (known === undefined) return { record, nonce: entry.nonce };
    return { record: mergeRecords(known.record, record), nonce: known.nonce };
  }

  async read(cursor: string | undefined): Promise<RevocationPage> {
    const reached = Number(cursor ?? 0);
    const start = reached > this.places ? 0 : reached;
    const rows = [...this.rows.values()]
      .filter(({ place }) => place > start)
      .toSorted((one, other) => one.place - other.place)
      .slice(0, this.#page);
    const records = rows.map(({ record }) => record);
    const end = rows.at(-1)?.place ?? start;
    return { records, cursor: String(end), more: rows.length === this.#page, now: this.now };
  }

  async sweep(limit: number): Promise<number> {
    let gone = 0;
    for (const [name, { record }] of this.rows) {
      if (gone === limit) break;
      if (record.until <= this.now && this.rows.delete(name)) gone++;
    }
    return gone;
  }

  /** A place of its own for the log's laws. */
  static place(log: PlainLog): LogPlace {
    return {
      log,
      follow: (options) =>
        new RevocationFollower(log, readOptions("the log", options, followReaders())),
      empty: async () => {
        log.rows.clear();
        log.places = 0;
      },
    };
  }
}
