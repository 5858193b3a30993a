// Cloudflare's D1 behind the calls of a SQLite database: each statement is a request to the one object that
// holds the database. D1 has no transactions that a statement of ours could be inside of.
import { StoreError, type StoreOperation } from "../../errors.ts";
import { kindOf } from "../../base/text.ts";
import { rowsOf, type SqlRow } from "./answer.ts";
import type { SqlFragment } from "./fragment.ts";
import { refuseClient, type SqliteClient, textOf, valuesOf } from "./sqlite-client.ts";

/** The statement that D1's `prepare` gives. */
export interface SqliteD1Statement {
  bind(...values: unknown[]): SqliteD1Statement;
  all(): Promise<{ readonly results: unknown[]; readonly meta: object }>;
}

/** A D1Database: the binding of a Worker or of a Pages function, as `env.DB` is. */
export interface SqliteD1 {
  prepare(text: string): SqliteD1Statement;
  /** Not called; it tells a database from another client. */
  batch(statements: never[]): Promise<unknown>;
}

/** D1's answer. */
interface D1Answer {
  readonly results: unknown;
  readonly meta: { readonly changes?: unknown; readonly served_by_primary?: unknown };
}

/** D1's own limit of a row: developers.cloudflare.com/d1/platform/limits. */
const MAX_ROW_BYTES = 2_000_000;

/** Runs SQL on a D1 database. */
export class D1Client implements SqliteClient {
  readonly isSynchronous = false;
  readonly isDurable = true;
  readonly maxRowBytes: number = MAX_ROW_BYTES;
  readonly #database: SqliteD1;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE for a session of D1, which may read from a replica. */
  constructor(database: SqliteD1) {
    if (typeof (database as { getBookmark?: unknown }).getBookmark === "function") {
      refuseClient(
        "is a session of D1 (withSession), whose replicas show a session after its logout; pass the " +
          "D1Database itself, which reads from the primary",
      );
    }
    this.#database = database;
  }

  async rows(operation: StoreOperation, statement: SqlFragment): Promise<readonly SqlRow[]> {
    return rowsOf(operation, (await this.#all(operation, statement)).results);
  }

  async run(operation: StoreOperation, statement: SqlFragment): Promise<number> {
    return Number((await this.#all(operation, statement)).meta.changes);
  }

  async make(statements: readonly string[]): Promise<void> {
    for (const text of statements) {
      // oxlint-disable-next-line no-await-in-loop -- an index needs its table
      await this.#database.prepare(text).all();
    }
  }

  async #all(operation: StoreOperation, statement: SqlFragment): Promise<D1Answer> {
    const prepared = this.#database.prepare(textOf(statement)).bind(...valuesOf(statement));
    const answer = (await prepared.all()) as Partial<D1Answer> | undefined;
    const { results, meta } = answer ?? {};
    if (meta === undefined) {
      const message = `the client gave ${kindOf(answer)} in place of D1's answer`;
      throw new StoreError("ERR_SESSION_STORE_ANSWER", operation, message);
    }
    // Not without a session of D1; a wrapper could have made one.
    if (meta.served_by_primary === false) {
      const message =
        "a replica of the D1 database has answered, which shows a session after its logout; pass " +
        "the D1Database itself, without withSession";
      throw new StoreError("ERR_SESSION_STORE_ANSWER", operation, message);
    }
    return { results, meta };
  }
}

/** True for a D1Database, or a session of one. */
export function isD1(client: object): client is SqliteD1 {
  const { prepare, batch } = client as Partial<SqliteD1>;
  return typeof prepare === "function" && typeof batch === "function";
}
