// The PostgreSQL clients behind one call: run this SQL. Every statement is a transaction of its
// own, so one that the server undid is run again; it knows no session.
import { fail } from "../../base/options.ts";
import { kindOf } from "../../base/text.ts";
import { StoreError, type StoreOperation } from "../../errors.ts";
import { rowsOf, type SqlRow } from "./answer.ts";
import type { SqlFragment } from "./fragment.ts";
import { describeOther } from "./other-clients.ts";
import { asText } from "./postgres-types.ts";
import { retrying } from "./retry.ts";

/** A Pool or Client of pg or of @neondatabase/serverless, or a PGlite. */
export interface PostgresQueryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A Pool or Client of pg. */
interface PgQueryable {
  query(statement: {
    /** The name under which the connection keeps the statement. */
    readonly name?: string;
    readonly text: string;
    readonly values: unknown[];
    readonly types: typeof asText;
  }): Promise<{ readonly rows: unknown }>;
  /** Of a Client: "I" outside of a transaction. */
  getTransactionStatus?(): unknown;
}

/** The function that neon() of @neondatabase/serverless returns; each statement is a request of its own. */
export interface PostgresNeon {
  query(
    text: string,
    values?: unknown[],
    options?: { arrayMode?: false; fullResults?: false },
  ): PromiseLike<readonly unknown[]>;
  readonly transaction: unknown;
}

/** The function that postgres() of the package postgres returns. */
export interface PostgresSql {
  unsafe(
    text: string,
    values?: never[],
    options?: { prepare?: boolean },
  ): PromiseLike<readonly unknown[]>;
}

/** A connected client of pg (Pool or Client), postgres, PGlite or Neon. */
export type PostgresConnection = PostgresQueryable | PostgresSql | PostgresNeon;

/** A client's answer. */
interface Answer {
  /** The rows, not checked yet. */
  readonly rows: unknown;
  /** True inside a transaction of the application's: nothing is committed yet. */
  readonly uncommitted?: boolean;
}

type Run = (text: string, values: readonly unknown[]) => PromiseLike<Answer>;

const EXPECTED =
  "a Pool or a connected Client of pg, what postgres() of the package postgres gives, a PGlite, " +
  "or what neon() of @neondatabase/serverless gives";
/** "serialization_failure" and "deadlock_detected": the server has undone the whole statement. */
const UNDONE: ReadonlySet<unknown> = new Set(["40001", "40P01"]);
/** "undefined_table" */
const NO_TABLE = "42P01";
/** Errors of processes that make one table at once: the table, or its row type, exists by then. */
const MADE_MEANWHILE: ReadonlySet<unknown> = new Set(["23505", "42P07", "42710"]);

/** Operations that must be committed by the time they are answered. */
const WRITES: ReadonlySet<StoreOperation> = new Set(["save", "destroyAll", "revoke", "sweep"]);

/** Runs SQL on a client of the user's. */
export class PostgresClient {
  readonly #run: Run;

  /**
   * @param prepares - true: pg's connections keep the statements, so that their text travels once.
   * @throws {ConfigError} ERR_SESSION_CONFIG_STORE when it is no such client, or isn't connected.
   */
  constructor(client: unknown, prepares = false) {
    this.#run = adapt(client, prepares);
  }

  /**
   * The rows of a statement, run again at most three times when the server undid it.
   * @param standsAlone - true: it is an error inside a transaction of the application's.
   * @throws {StoreError} ERR_SESSION_STORE_ANSWER for another answer than rows;
   * ERR_SESSION_STORE_FAILED inside such a transaction, whose COMMIT may never come.
   */
  async rows(
    statement: SqlFragment,
    operation: StoreOperation,
    standsAlone: boolean = WRITES.has(operation),
  ): Promise<readonly SqlRow[]> {
    const text = numbered(statement.chunks);
    const { rows, uncommitted } = await retrying(
      () => this.#run(text, statement.values),
      (error) => UNDONE.has(codeOf(error)),
    );
    if (uncommitted === true && standsAlone) {
      const message =
        "the Client has a transaction of the application's open, so nothing is committed, and what " +
        "is read may be old; give the store a Pool or a Client of its own";
      throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message);
    }
    return rowsOf(operation, rows);
  }

  /** Runs statements that make a table, one after the other; other processes may do the same. */
  async make(statements: readonly string[]): Promise<void> {
    for (const text of statements) {
      // oxlint-disable-next-line no-await-in-loop -- an index needs its table
      const { rows } = await retrying(
        () => this.#run(text, []),
        (error) => MADE_MEANWHILE.has(codeOf(error)),
      );
      rowsOf("save", rows);
    }
  }

  /** True for the error of a missing table. */
  static isMissingTable(error: unknown): boolean {
    return codeOf(error) === NO_TABLE;
  }
}

function adapt(client: unknown, prepares: boolean): Run {
  const other = describeOther(client);
  if (other !== undefined) refuse(`${other}; it must be ${EXPECTED}`);
  const { unsafe, query, execute, transaction, savepoint } = (client ?? {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof client === "function" && typeof savepoint === "function") {
    refuse(`is a transaction of the package postgres, which ends; it must be ${EXPECTED}`);
  }
  // Neon's function has `unsafe` too, but it runs nothing.
  if (typeof client === "function" && typeof query === "function" && transaction !== undefined) {
    const neon = client as unknown as PostgresNeon;
    const options = { arrayMode: false, fullResults: false } as const;
    return async (text, values) => ({ rows: await neon.query(text, [...values], options) });
  }
  if (typeof client === "function" && typeof unsafe === "function") {
    const tagged = client as unknown as PostgresSql;
    // Without a prepared statement this driver asks for the types first: two trips for each.
    return async (text, values) => ({
      rows: await tagged.unsafe(text, [...values] as never[], { prepare: true }),
    });
  }
  // A client of mysql2 has `query` as well, but also `execute`.
  if (typeof client !== "object" || typeof query !== "function" || execute !== undefined) {
    refuse(`must be ${EXPECTED}, not ${kindOf(client)}${hintFor(client)}`);
  }
  checkConnected(client as Readonly<Record<string, unknown>>);
  // A Client of pg is known by its connection's process id, a Pool by its count of connections.
  const isClient = "processID" in (client as object);
  if (!isClient && !("totalCount" in (client as object))) {
    const queryable = client as PostgresQueryable;
    return async (text, values) => {
      const answer: Partial<Answer> | undefined = await queryable.query(text, [...values]);
      return { rows: answer?.rows };
    };
  }
  const pg = client as unknown as PgQueryable;
  const run: Run = async (text, values) => {
    const statement = { text, values: [...values], types: asText };
    const { rows } = await pg.query(prepares ? { name: nameOf(text), ...statement } : statement);
    return { rows, uncommitted: (pg.getTransactionStatus?.() ?? "I") !== "I" };
  };
  // A Client gets no query while another one runs.
  return isClient ? inTurn(pg, run) : run;
}

/** Statements' names, unique in the process, since stores can share a connection. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `kocha_session_${names.size}`));
  return name;
}

/** For each Client the queue that runs the statements of all its stores one after the other. */
const turns = new WeakMap<object, Run>();

function inTurn(client: object, run: Run): Run {
  const known = turns.get(client);
  if (known !== undefined) return known;
  let last: Promise<unknown> = Promise.resolve();
  const next: Run = (text, values) => {
    const answer = last.then(() => run(text, values));
    // A statement that fails doesn't stop the next one.
    last = answer.catch(() => undefined);
    return answer;
  };
  turns.set(client, next);
  return next;
}

/** Connected, as far as each driver tells: pg's Client (by private fields), pg's Pool, PGlite. */
function checkConnected(client: Readonly<Record<string, unknown>>): void {
  if (client["_connected"] === false && client["_connecting"] === false) {
    refuse("is a Client that isn't connected; await client.connect() before the store is made");
  }
  if (client["ending"] === true || client["_ending"] === true || client["closed"] === true) {
    refuse(`is closed; it must be ${EXPECTED}`);
  }
}

function hintFor(client: unknown): string {
  if (typeof client === "string") return "; connect to it first";
  if (typeof client === "function") return "; make one first";
  return typeof client === "object" && client !== null ? " without a method query of theirs" : "";
}

/** PostgreSQL numbers its placeholders. */
function numbered(chunks: readonly string[]): string {
  let text = chunks[0] ?? "";
  for (let index = 1; index < chunks.length; index++) text += `$${index}${chunks[index]}`;
  return text;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

function refuse(message: string): never {
  return fail("client", message, "ERR_SESSION_CONFIG_STORE");
}
