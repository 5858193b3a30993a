// @libsql/client behind the calls of a SQLite database: a file, a server of libsql or Turso. (The package
// libsql, without a scope, is a synchronous client.) It knows no session.
import { StoreError, type StoreOperation } from "../../errors.ts";
import { kindOf } from "../../base/text.ts";
import { rowsOf, type SqlRow } from "./answer.ts";
import type { SqlFragment } from "./fragment.ts";
import { retrying } from "./retry.ts";
import { refuseClient, type SqliteClient, textOf, valuesOf } from "./sqlite-client.ts";

/** What `createClient()` of @libsql/client gives. */
export interface SqliteLibsqlClient {
  execute(statement: {
    sql: string;
    args: (string | number | null)[];
  }): Promise<{ readonly rows: readonly unknown[]; readonly rowsAffected: number }>;
  /** "file", "http" or "ws". */
  readonly protocol: string;
  readonly closed: boolean;
}

/** The answer, not checked yet. */
interface LibsqlAnswer {
  readonly rows: unknown;
  readonly rowsAffected: unknown;
}

/**
 * How often a statement is run again that found the database locked: for two seconds as a rule. The client
 * has a wait of its own, `timeout`, which blocks the process and is 0 unless it is given.
 */
const BUSY_RETRIES = 8;

/** Runs SQL on a client of @libsql/client. */
export class LibsqlClient implements SqliteClient {
  readonly isSynchronous = false;
  readonly isDurable = true;
  readonly #client: SqliteLibsqlClient;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE for a closed client, and for a transaction. */
  constructor(client: SqliteLibsqlClient) {
    const { closed, rollback } = client as SqliteLibsqlClient & { rollback?: unknown };
    if (typeof rollback === "function") {
      refuseClient(
        "is a transaction of @libsql/client, which ends; pass the client that createClient() gave",
      );
    }
    if (closed) refuseClient("is closed; it must be an open client of @libsql/client");
    this.#client = client;
  }

  async rows(operation: StoreOperation, statement: SqlFragment): Promise<readonly SqlRow[]> {
    return rowsOf(operation, (await this.#execute(operation, statement)).rows);
  }

  async run(operation: StoreOperation, statement: SqlFragment): Promise<number> {
    return Number((await this.#execute(operation, statement)).rowsAffected);
  }

  async make(statements: readonly string[]): Promise<void> {
    const { protocol } = this.#client;
    // A mode of the file, which stays; a server has chosen its own.
    const texts = protocol === "file" ? ["PRAGMA journal_mode = WAL", ...statements] : statements;
    for (const text of texts) {
      // oxlint-disable-next-line no-await-in-loop -- an index needs its table
      await this.#run(text, []);
    }
  }

  async #execute(operation: StoreOperation, statement: SqlFragment): Promise<LibsqlAnswer> {
    const answer = await this.#run(textOf(statement), valuesOf(statement));
    const { rows, rowsAffected } = (answer ?? {}) as Partial<LibsqlAnswer>;
    if (rowsAffected === undefined) {
      const message = `the client gave ${kindOf(answer)} in place of a ResultSet of @libsql/client`;
      throw new StoreError("ERR_SESSION_STORE_ANSWER", operation, message);
    }
    return { rows, rowsAffected };
  }

  #run(text: string, values: (string | number | null)[]): Promise<unknown> {
    return retrying(
      () => this.#client.execute({ sql: text, args: values }),
      isLocked,
      BUSY_RETRIES,
    );
  }
}

/** True for a client of @libsql/client, or a transaction of one. */
export function isLibsqlClient(client: object): client is SqliteLibsqlClient {
  const { execute, executeMultiple } = client as { execute?: unknown; executeMultiple?: unknown };
  return typeof execute === "function" && typeof executeMultiple === "function";
}

/** Another connection was writing: the statement has done nothing. */
function isLocked(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === "SQLITE_BUSY";
}
