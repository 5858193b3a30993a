// The rows of connect-pg-simple: a table of sid, sess and expire, in which `expire` decides. It is known
// by its public methods, and asked through its own `query`, which also makes the table if it was told to.
import { SECOND } from "../../base/time.ts";
import {
  called,
  type ExpressSessionStore,
  type StoreCallback,
} from "../../stores/express/calls.ts";
import type { ExpressRow } from "./row.ts";
import { areOfOneClass, type ReadRow, type SwapRows } from "./swap-rows.ts";

/** The public part of connect-pg-simple's store. */
interface ConnectPgSimple {
  /** Calls back with the first row. */
  query(text: string, values: unknown[], callback: StoreCallback<unknown>): unknown;
  /** The table's name for SQL. */
  quotedTable(): string;
  /** Seconds, for a session whose cookie has no end. */
  readonly ttl?: number | undefined;
}

/** connect-pg-simple's own default of `ttl`, in seconds. */
const DEFAULT_TTL = 86_400;

/** The rows of a connect-pg-simple store; undefined for any other store. */
export function pgSimpleRows(store: ExpressSessionStore, now: () => number): SwapRows | undefined {
  return isConnectPgSimple(store) ? new PgSimpleRows(store, now) : undefined;
}

class PgSimpleRows implements SwapRows {
  readonly #store: ConnectPgSimple;
  readonly #now: () => number;

  constructor(store: ConnectPgSimple, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async read(sid: string): Promise<ReadRow | undefined> {
    // The column has no time zone: it is read by the one that it was written by, the connection's.
    const found = await this.#first<{ readonly text: string; readonly end: number }>(
      `SELECT sess::text AS text, extract(epoch FROM expire::timestamptz)::float8 AS "end"
       FROM ${this.#table} WHERE sid = $1 AND expire >= to_timestamp($2)`,
      [sid, this.#seconds(this.#now())],
    );
    if (found === undefined) return undefined;
    const { text, end } = found;
    return { text, session: JSON.parse(text), end: end * SECOND };
  }

  async swap(
    sid: string,
    before: string | undefined,
    session: ExpressRow,
    expires: number,
  ): Promise<boolean> {
    const values = [sid, JSON.stringify(session), this.#expireOf(expires)];
    const written =
      before === undefined
        ? await this.#first(
            `INSERT INTO ${this.#table} AS old (sid, sess, expire)
             VALUES ($1, $2, to_timestamp($3)) ON CONFLICT (sid) DO UPDATE
             SET sess = EXCLUDED.sess, expire = EXCLUDED.expire
             WHERE old.expire < to_timestamp($4) RETURNING sid`,
            [...values, this.#seconds(this.#now())],
          )
        : await this.#first(
            `UPDATE ${this.#table} SET sess = $2, expire = to_timestamp($3)
             WHERE sid = $1 AND sess::text = $4 RETURNING sid`,
            [...values, before],
          );
    return written !== undefined;
  }

  /** Unix seconds, by connect-pg-simple's own rules. */
  #expireOf(expires: number): number {
    if (expires !== Infinity) return this.#seconds(expires);
    return this.#seconds(this.#now() + (this.#store.ttl ?? DEFAULT_TTL) * SECOND);
  }

  #seconds(instant: number): number {
    return Math.ceil(instant / SECOND);
  }

  get #table(): string {
    return this.#store.quotedTable();
  }

  /** The first row of a statement's result. */
  #first<Row extends object>(text: string, values: unknown[]): Promise<Row | undefined> {
    return called<Row>((done) => this.#store.query(text, values, done as StoreCallback<unknown>));
  }
}

function isConnectPgSimple(store: object): store is ConnectPgSimple {
  const own = ["get", "set", "touch", "destroy", "query", "quotedTable", "pruneSessions"];
  return areOfOneClass(store, own);
}
