// The PostgreSQL clients behind one call: run this SQL. Every statement is a transaction of its
// own, so one that the server undid is run again; it knows no session.
import { kindOf } from "../core/text.ts";
import { ConfigError } from "../errors.ts";
import type { SqlFragment } from "./fragment.ts";
import { retrying } from "./retry.ts";

/** A Pool or Client of pg, or a PGlite. */
export interface PostgresQueryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** The same of pg with a statement that the connection keeps under its name. */
interface NamingQueryable {
  query(statement: {
    readonly name: string;
    readonly text: string;
    readonly values: unknown[];
  }): Promise<{ readonly rows: readonly unknown[] }>;
}

/** What postgres() of the package postgres gives. */
export interface PostgresSql {
  unsafe(
    text: string,
    values?: never[],
    options?: { prepare?: boolean },
  ): PromiseLike<readonly unknown[]>;
}

/** A connected client of pg (Pool or Client), postgres or PGlite. */
export type PostgresConnection = PostgresQueryable | PostgresSql;

type Row = Record<string, unknown>;
type Run = (text: string, values: readonly unknown[]) => PromiseLike<readonly Row[]>;

const EXPECTED =
  "a Pool or a connected Client of pg, what postgres() of the package postgres gives, or a PGlite";
/** "serialization_failure" and "deadlock_detected": the server has undone the whole statement. */
const UNDONE: ReadonlySet<unknown> = new Set(["40001", "40P01"]);
/** "undefined_table" */
const NO_TABLE = "42P01";
/** What two processes that make one table at once can meet: it is there, or its type is. */
const MADE_MEANWHILE: ReadonlySet<unknown> = new Set(["23505", "42P07", "42710"]);

/** Runs SQL on a client of the user's. */
export class PostgresClient {
  readonly #run: Run;

  /**
   * @param prepares - whether pg's connections keep the statements, so that their text travels once.
   * @throws {ConfigError} ERR_SESSION_CONFIG_STORE when it is no such client, or isn't connected.
   */
  constructor(client: unknown, prepares = false) {
    this.#run = adapt(client, prepares);
  }

  /** The rows of a statement, run again at most three times when the server undid it. */
  rows(statement: SqlFragment): Promise<readonly Row[]> {
    const text = numbered(statement.chunks);
    return retrying(
      () => this.#run(text, statement.values),
      (error) => UNDONE.has(codeOf(error)),
    );
  }

  /** Runs statements that make something, one after the other; another process may do the same. */
  async make(statements: readonly string[]): Promise<void> {
    for (const text of statements) {
      // oxlint-disable-next-line no-await-in-loop -- an index needs its table
      await retrying(
        () => this.#run(text, []),
        (error) => MADE_MEANWHILE.has(codeOf(error)),
      );
    }
  }

  /** Whether an error says that a table isn't there. */
  static isMissingTable(error: unknown): boolean {
    return codeOf(error) === NO_TABLE;
  }
}

function adapt(client: unknown, prepares: boolean): Run {
  const { unsafe, query, execute } = (client ?? {}) as {
    unsafe?: unknown;
    query?: unknown;
    execute?: unknown;
  };
  if (typeof client === "function" && typeof unsafe === "function") {
    const tagged = client as unknown as PostgresSql;
    // Without a prepared statement this driver asks for the types first: two trips for each.
    return (text, values) =>
      tagged.unsafe(text, [...values] as never[], { prepare: true }) as PromiseLike<readonly Row[]>;
  }
  // A mysql2 client has query too, but also execute.
  if (typeof client !== "object" || typeof query !== "function" || execute !== undefined) {
    fail(`must be ${EXPECTED}, not ${kindOf(client)}${hintFor(client)}`);
  }
  checkConnected(client as Readonly<Record<string, unknown>>);
  const queryable = client as PostgresQueryable;
  // A Client of pg is known by its connection's process id, a Pool by its count of connections.
  const isClient = "processID" in queryable;
  const naming = prepares && (isClient || "totalCount" in queryable);
  const run: Run = async (text, values) =>
    (
      await (naming
        ? (client as NamingQueryable).query({ name: nameOf(text), text, values: [...values] })
        : queryable.query(text, [...values]))
    ).rows as readonly Row[];
  // A Client isn't to be asked while it is busy.
  return isClient ? inTurn(queryable, run) : run;
}

/** A statement's name is the process's, since stores can share a connection. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `kocha_session_${names.size}`));
  return name;
}

/** By client, the one who runs its statements one after the other, for all its stores. */
const turns = new WeakMap<object, Run>();

function inTurn(client: object, run: Run): Run {
  const known = turns.get(client);
  if (known !== undefined) return known;
  let last: Promise<unknown> = Promise.resolve();
  const next: Run = (text, values) => {
    const answer = last.then(() => run(text, values));
    // Whatever becomes of one, the next has its turn.
    last = answer.catch(() => undefined);
    return answer;
  };
  turns.set(client, next);
  return next;
}

/** By what each driver tells: pg's Client (no public word for it), pg's Pool, PGlite. */
function checkConnected(client: Readonly<Record<string, unknown>>): void {
  if (client["_connected"] === false && client["_connecting"] === false) {
    fail("is a Client that isn't connected; await client.connect() before the store is made");
  }
  if (client["ending"] === true || client["_ending"] === true || client["closed"] === true) {
    fail(`is closed; it must be ${EXPECTED}`);
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

function fail(message: string): never {
  throw new ConfigError("ERR_SESSION_CONFIG_STORE", "client", message);
}
