// The common part of the SQL stores: one statement for a load and one for a commit, refused by its own
// WHERE as the contract demands. Each store supplies its engine's dialect. It knows no driver.
import { chain, type Awaitable } from "../../base/awaitable.ts";
import { isFenced, mayEndSooner, toSaved } from "../../store/change.ts";
import type {
  ListedSession,
  SavedSession,
  SessionChange,
  SessionStore,
  StoreCapabilities,
  StoredSession,
} from "../../store/contract.ts";
import type { StoreOperation } from "../../errors.ts";
import { checkColumn, type SqlRow } from "./answer.ts";
import { encodeData, encodeText, isSelector, readNumbers, readRow, toSqlTime } from "./codec.ts";
import { list, raw, sql, type SqlFragment } from "./fragment.ts";

export type { SqlRow } from "./answer.ts";

/** How an engine writes the parts of the statements. */
export interface SqlDialect {
  /** Now by the store's clock, in Unix milliseconds. */
  readonly now: () => SqlFragment;
  readonly least: SqlFragment;
  readonly greatest: SqlFragment;
  /** A whole number, bound. */
  readonly integer: (value: number) => SqlFragment;
  /** A string of ours, bound, for a text column. */
  readonly text: (value: string) => SqlFragment;
  /** A subject, bound, for its column. */
  readonly subject: (value: string) => SqlFragment;
  /** A JSON object, bound, for the data's column. */
  readonly json: (value: string) => SqlFragment;
  /** The data after the change's del and set. */
  readonly merged: (change: Pick<SessionChange, "del" | "set">) => SqlFragment;
  /** True where the row's data is a JSON object; anything else can't be patched and is no session. */
  readonly isObject: SqlFragment;
  /** Whether the row's data, an object, holds these entries, byte for byte; never none. */
  readonly holds: (entries: ReadonlyMap<string, string>) => SqlFragment;
  /** Whether the row's data, an object, has none of these keys; never none. */
  readonly lacks: (keys: readonly string[]) => SqlFragment;
  /** The columns of a session, under their names. */
  readonly columns: SqlFragment;
}

/** The columns of a new row. */
export interface NewRow {
  readonly columns: SqlFragment;
  /** Their assignments where it takes an expired row's place. */
  readonly replacing: SqlFragment;
}

/** The columns of every new row, in the order of `created`, and those of one engine after them. */
export function newRow(...more: readonly string[]): NewRow {
  const columns = ["id", "data", "rev", "generation", "expires", "meta", "subject", ...more];
  const replacing = columns.slice(1).map((column) => `${column} = excluded.${column}`);
  return { columns: raw(columns.join(", ")), replacing: raw(replacing.join(", ")) };
}

/** Between two reads of a list; a subject with 10,000 sessions is no burden for the memory. */
const PAGE = 500;
/** The most rows that one statement removes. */
const MAX_LIMIT = 1_000_000;
const ANSWER = raw("rev, generation, expires");
const plainRow = newRow();

/** A store on a SQL engine: the statements are here, the engine's dialect is in its own store. */
export abstract class SqlSessionStore implements SessionStore {
  abstract readonly capabilities: StoreCapabilities;
  protected readonly table: SqlFragment;
  protected readonly dialect: SqlDialect;
  protected readonly newRow: NewRow = plainRow;

  protected constructor(table: SqlFragment, dialect: SqlDialect) {
    this.table = table;
    this.dialect = dialect;
  }

  /** Runs a statement, and gives its rows. */
  protected abstract rows(
    operation: StoreOperation,
    statement: SqlFragment,
  ): Awaitable<readonly SqlRow[]>;

  /** Runs a DELETE, and gives the number of rows that are gone. */
  protected abstract remove(operation: StoreOperation, statement: SqlFragment): Awaitable<number>;

  /** The DELETE of a sweep. */
  protected abstract sweeping(limit: number): SqlFragment;

  load(selector: string): Awaitable<StoredSession | undefined> {
    if (!isSelector(selector)) return undefined;
    const { columns, now } = this.dialect;
    const statement = sql`SELECT ${columns} FROM ${this.table} WHERE id = ${selector} AND expires > ${now()}`;
    return chain(this.#sessions("load", statement), ([row]) => readRow(row));
  }

  save(selector: string, change: SessionChange): Awaitable<SavedSession | undefined> {
    if (change.op === "destroy") {
      // Destroying an absent row succeeds (S3).
      if (!isSelector(selector)) return toSaved(undefined);
      const statement = sql`DELETE FROM ${this.table} WHERE id = ${selector}`;
      return chain(this.remove("save", statement), () => toSaved(undefined));
    }
    if (!isSelector(selector)) return undefined;
    return change.op === "create" ? this.create(selector, change) : this.update(selector, change);
  }

  /** The live sessions of a subject, by their ids. */
  async *list(subject: string): AsyncGenerator<ListedSession> {
    const { columns, now } = this.dialect;
    const bound = this.dialect.subject(encodeText(subject));
    let last = "";
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- a page begins where the last one ended
      const found = await this.#sessions(
        "list",
        sql`SELECT id, ${columns} FROM ${this.table} WHERE subject = ${bound} AND id > ${last} AND expires > ${now()} ORDER BY id LIMIT ${raw(String(PAGE))}`,
      );
      for (const row of found) {
        last = String(row["id"]);
        const stored = readRow(row);
        if (stored !== undefined) yield { id: last, stored };
      }
      if (found.length < PAGE) return;
    }
  }

  async destroyAll(subject: string, options: { except?: string } = {}): Promise<number> {
    const { now } = this.dialect;
    const bound = this.dialect.subject(encodeText(subject));
    const except = isSelector(options.except ?? "") ? (options.except ?? "") : "";
    return this.remove(
      "destroyAll",
      sql`DELETE FROM ${this.table} WHERE subject = ${bound} AND id <> ${except} AND expires > ${now()}`,
    );
  }

  async sweep(limit: number): Promise<number> {
    const count = Math.min(Math.floor(limit), MAX_LIMIT);
    return count >= 1 ? this.removeExpired(count) : 0;
  }

  /** Removes at most so many expired rows. */
  protected removeExpired(limit: number): Awaitable<number> {
    return this.remove("sweep", this.sweeping(limit));
  }

  /** The rows of a statement, each with a session's numbers at least. */
  #sessions(operation: StoreOperation, statement: SqlFragment): Awaitable<readonly SqlRow[]> {
    return chain(this.rows(operation, statement), (rows) => {
      checkColumn(operation, rows, "rev");
      return rows;
    });
  }

  /** Inserts, or takes the place of an expired row; a live one refuses it (S3). */
  protected create(selector: string, change: SessionChange): Awaitable<SavedSession | undefined> {
    const { now } = this.dialect;
    const { columns, replacing } = this.newRow;
    const row = this.created(selector, change);
    const statement = sql`INSERT INTO ${this.table} AS kept (${columns}) VALUES (${row}) ON CONFLICT (id) DO UPDATE SET ${replacing} WHERE kept.expires <= ${now()} RETURNING ${ANSWER}`;
    return chain(this.#sessions("save", statement), ([answer]) => toAnswer(answer));
  }

  /** One UPDATE that refuses by its condition (S3, S4, S7) and never reads the data back. */
  protected update(selector: string, change: SessionChange): Awaitable<SavedSession | undefined> {
    const assignments = this.assignments(change);
    if (isFenced(change)) assignments.push(raw("rev = rev + 1"));
    if (change.bump === true) assignments.push(raw("generation = generation + 1"));
    const ends = this.ends(change);
    if (ends !== undefined) assignments.push(sql`expires = ${ends}`);
    if (assignments.length === 0) assignments.push(raw("rev = rev"));
    const statement = sql`UPDATE ${this.table} SET ${list(assignments)} WHERE ${this.condition(selector, change)} RETURNING ${ANSWER}`;
    return chain(this.#sessions("save", statement), ([answer]) => toAnswer(answer));
  }

  /** The values of a new row, in the order of `newRow`. */
  protected created(selector: string, change: SessionChange): SqlFragment {
    const { json, text, subject } = this.dialect;
    return list([
      sql`${selector}`,
      json(encodeData(change.set)),
      raw("1"),
      this.firstGeneration(change),
      this.ends(change) ?? raw("0"),
      text(encodeText(change.meta ?? "")),
      typeof change.subject === "string" ? subject(encodeText(change.subject)) : raw("NULL"),
    ]);
  }

  /** The generation of a new row. */
  protected firstGeneration(_change: SessionChange): SqlFragment {
    return raw("1");
  }

  /** A change's assignments to the data and the text columns; unchanged columns aren't written. */
  protected assignments(change: SessionChange): SqlFragment[] {
    const { json, merged, text, subject } = this.dialect;
    const assignments: SqlFragment[] = [];
    if (change.clear === true) {
      assignments.push(sql`data = ${json(encodeData(change.set))}`);
    } else if (isPatch(change)) {
      assignments.push(sql`data = ${merged(change)}`);
    }
    if (change.meta !== undefined) assignments.push(sql`meta = ${text(encodeText(change.meta))}`);
    if (change.subject === null) assignments.push(raw("subject = NULL"));
    else if (change.subject !== undefined) {
      assignments.push(sql`subject = ${subject(encodeText(change.subject))}`);
    }
    return assignments;
  }

  /** When an update applies. */
  protected condition(selector: string, change: SessionChange): SqlFragment {
    const { integer, now, isObject } = this.dialect;
    // No revision is 0: an update without one is refused, as applyChange refuses it.
    const fence = sql`id = ${selector} AND rev = ${integer(change.rev ?? 0)} AND expires > ${now()}`;
    const expected = this.#expected(change);
    // CASE keeps the order: some engines throw where they look for a key in what is no object.
    if (expected !== undefined) return sql`${fence} AND CASE WHEN ${isObject} THEN ${expected} END`;
    return isPatch(change) ? sql`${fence} AND ${isObject}` : fence;
  }

  /** Whether the keys hold what the change expects (S9); undefined: it expects nothing. */
  #expected({ expect }: SessionChange): SqlFragment | undefined {
    if (expect === undefined || expect.size === 0) return undefined;
    const entries = new Map<string, string>();
    const absent: string[] = [];
    for (const [key, value] of expect) {
      if (value === undefined) absent.push(key);
      else entries.set(key, value);
    }
    if (absent.length === 0) return this.dialect.holds(entries);
    const lacks = this.dialect.lacks(absent);
    return entries.size === 0 ? lacks : sql`${this.dialect.holds(entries)} AND ${lacks}`;
  }

  /** The row's new end (S6); undefined: it stays, since a deadline never moves. */
  protected ends(change: SessionChange): SqlFragment | undefined {
    const { integer, least, greatest, now } = this.dialect;
    const renewed = sql`${now()} + ${integer(toSqlTime(change.ttl))}`;
    const deadline = integer(toSqlTime(change.deadline));
    if (change.op === "create" || mayEndSooner(change)) {
      return sql`${least}(${renewed}, ${deadline})`;
    }
    if (change.ttl <= 0) return undefined;
    return sql`${least}(${greatest}(expires, ${renewed}), ${deadline})`;
  }
}

function isPatch({ clear, set, del }: SessionChange): boolean {
  return clear !== true && (set.size > 0 || del.length > 0);
}

function toAnswer(row: SqlRow | undefined): SavedSession | undefined {
  return row && readNumbers(row);
}
