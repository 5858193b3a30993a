// The SQL of a Durable Object behind the calls of a SQLite database: `ctx.storage.sql`, which only the object
// itself has, and which answers at once.
import type { StoreOperation } from "../../errors.ts";
import { rowsOf, type SqlRow } from "./answer.ts";
import type { SqlFragment } from "./fragment.ts";
import { type SqliteClient, textOf, valuesOf } from "./sqlite-client.ts";

/** `ctx.storage.sql` of a Durable Object whose class is SQLite-backed. */
export interface SqliteObjectStorage {
  exec(text: string, ...values: unknown[]): { toArray(): unknown[] };
  /** Bytes. */
  readonly databaseSize: number;
}

/** A Durable Object's own limit of a row: developers.cloudflare.com/durable-objects/platform/limits. */
const MAX_ROW_BYTES = 2_000_000;

/** Runs SQL in a Durable Object. */
export class ObjectSqlClient implements SqliteClient {
  readonly isSynchronous = true;
  readonly isDurable = true;
  readonly maxRowBytes: number = MAX_ROW_BYTES;
  readonly #storage: SqliteObjectStorage;

  constructor(storage: SqliteObjectStorage) {
    this.#storage = storage;
  }

  rows(operation: StoreOperation, statement: SqlFragment): readonly SqlRow[] {
    const cursor = this.#storage.exec(textOf(statement), ...valuesOf(statement));
    return rowsOf(operation, cursor.toArray());
  }

  run(operation: StoreOperation, statement: SqlFragment): number {
    this.#storage.exec(textOf(statement), ...valuesOf(statement));
    // Its cursor counts the rows of indexes, too.
    const [row] = rowsOf(operation, this.#storage.exec("SELECT changes() AS n").toArray());
    return Number(row?.["n"]);
  }

  make(statements: readonly string[]): void {
    for (const text of statements) this.#storage.exec(text);
  }
}

/** True for `ctx.storage.sql`. */
export function isObjectStorage(client: object): client is SqliteObjectStorage {
  const { exec, databaseSize } = client as Partial<SqliteObjectStorage>;
  return typeof exec === "function" && typeof databaseSize === "number";
}
