// Any store that was written for express-session as a store of ours, with its rows as they are, so that
// express-session's own processes read and write them, too. connect-redis and connect-pg-simple are
// atomic, by compare-and-swap on the row's text; with other stores saves take turns within one process.
import { clock, flag, hasMethods, readOptions } from "../../base/options.ts";
import { classOf } from "../../base/text.ts";
import { type AppliedChange, isRenewal, toSaved } from "../../store/change.ts";
import type {
  SavedSession,
  SessionChange,
  SessionStore,
  StoredSession,
} from "../../store/contract.ts";
import { warnOfRaces } from "../../store/races.ts";
import { RowQueue } from "../../store/row-queue.ts";
import { OUTRUN, untilApplied } from "../../store/swap.ts";
import { WholeValueStore } from "../../store/whole-value-store.ts";
import {
  called,
  type ExpressSessionStore,
  expressStore,
  ignoreMissing,
} from "../../stores/express/calls.ts";
import { pgSimpleRows } from "./pg-simple-rows.ts";
import { redisRows } from "./redis-rows.ts";
import { applyToRow, decodeRow, encodeRow, type ExpressRow } from "./row.ts";
import type { SwapRows } from "./swap-rows.ts";

export type { ExpressSessionStore };

/** Options of a row store. */
export interface RowStoreOptions {
  /** True: concurrent requests may overwrite each other, and no process warning says so. Default false. */
  readonly acceptRaces?: boolean | undefined;
  /**
   * True: a sid that a session is created under is random, so no row is looked for there before; where
   * there is one, it is overwritten. connect-redis and connect-pg-simple need no look. Default false.
   */
  readonly freshSids?: boolean | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** What an application can do about races; the drop-in has no option to accept them. */
const WAY_OUT =
  "connect-redis from version 9 on, connect-pg-simple and the stores of kocha-session are atomic";

/** A store that can renew a row without writing it. */
interface TouchingStore extends ExpressSessionStore {
  touch(sid: string, session: never, callback: (error?: unknown) => void): unknown;
}

/**
 * The store of express-session's rows. Values are JSON texts, and `cookie` is express-session's cookie
 * object. A row has no place for a revision, a generation, a subject and the engine's notes: so `clear`
 * fences nothing off, and a change with `bump` or a subject is an error.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
 */
export function rowStore(store: ExpressSessionStore, options: RowStoreOptions = {}): SessionStore {
  const checked = expressStore(store, "store");
  const { acceptRaces, freshSids, now } = readOptions("rowStore", options, {
    acceptRaces: flag(false),
    freshSids: flag(false),
    now: clock(),
  });
  const rows = redisRows(checked, now) ?? pgSimpleRows(checked, now);
  if (rows !== undefined) return new SwappingRowStore(checked, rows, now);
  warnOfRaces(classOf(checked) ?? "a store for express-session", acceptRaces, WAY_OUT);
  return new PlainRowStore(checked, freshSids, now);
}

/** Every other sid is express-session's affair: its own `genid` may have made it. */
function isSid(selector: string): boolean {
  return selector !== "" && !selector.includes("\0");
}

function canTouch(store: ExpressSessionStore): store is TouchingStore {
  return hasMethods(store, "touch");
}

/** A store with compare-and-swap. */
class SwappingRowStore implements SessionStore {
  readonly capabilities = { atomic: true, expects: true, durable: true } as const;
  readonly #store: ExpressSessionStore;
  readonly #rows: SwapRows;
  readonly #now: () => number;
  readonly #queue = new RowQueue();

  constructor(store: ExpressSessionStore, rows: SwapRows, now: () => number) {
    this.#store = store;
    this.#rows = rows;
    this.#now = now;
  }

  answerWithin(ms: number): void {
    this.#queue.allow(ms);
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    if (!isSid(selector)) return undefined;
    const row = await this.#rows.read(selector);
    return row && decodeRow(row.session, row.end, this.#now());
  }

  /**
   * @throws {StoreError} ERR_SESSION_STORE_FAILED when other writers were faster 16 times in a row;
   * then nothing was saved.
   */
  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (change.op === "destroy") {
      if (isSid(selector)) await remove(this.#store, selector);
      return toSaved(undefined);
    }
    if (!isSid(selector)) return undefined;
    if (change.op === "create") {
      const { stored } = applyToRow(undefined, change, this.#now());
      const outcome = stored && (await this.#write(selector, undefined, stored));
      // Somebody else's row is under this sid.
      return outcome === OUTRUN ? undefined : outcome;
    }
    return this.#queue.run(selector, (turn) =>
      untilApplied(turn, () => this.#update(selector, change)),
    );
  }

  async #update(
    selector: string,
    change: SessionChange,
  ): Promise<SavedSession | undefined | typeof OUTRUN> {
    const row = await this.#rows.read(selector);
    const now = this.#now();
    const before = row && decodeRow(row.session, row.end, now);
    if (before === undefined) return undefined;
    const { refused, stored } = applyToRow(before, change, now);
    if (refused || stored === undefined) return undefined;
    if (!isRenewal(change) || !canTouch(this.#store)) {
      return this.#write(selector, row?.text, stored);
    }
    await touch(this.#store, selector, encodeRow(stored, now));
    return toSaved(stored);
  }

  async #write(
    selector: string,
    before: string | undefined,
    stored: StoredSession,
  ): Promise<SavedSession | typeof OUTRUN> {
    const now = this.#now();
    if (stored.expires > now) {
      const session = encodeRow(stored, now);
      const isWritten = await this.#rows.swap(selector, before, session, stored.expires);
      return isWritten ? toSaved(stored) : OUTRUN;
    }
    if (before !== undefined) await remove(this.#store, selector);
    return toSaved(stored);
  }
}

/** Any other store: it reads and writes whole sessions. */
class PlainRowStore extends WholeValueStore {
  readonly #store: ExpressSessionStore;
  readonly #freshSids: boolean;

  constructor(store: ExpressSessionStore, freshSids: boolean, now: () => number) {
    super(now);
    this.#store = store;
    this.#freshSids = freshSids;
  }

  protected override readsBefore({ op }: SessionChange): boolean {
    return op === "update" || (op === "create" && !this.#freshSids);
  }

  protected override accepts(selector: string): boolean {
    return isSid(selector);
  }

  protected override apply(
    before: StoredSession | undefined,
    change: SessionChange,
  ): AppliedChange {
    return applyToRow(before, change, this.now());
  }

  /** The data holds the cookie, and with it the end. */
  protected override isSame(found: StoredSession, written: StoredSession): boolean {
    const [one, other] = [found, written].map((row) => JSON.stringify(encodeRow(row, 0)));
    return one === other;
  }

  protected async read(selector: string): Promise<StoredSession | undefined> {
    const row = await called((done) => this.#store.get(selector, done)).catch(ignoreMissing);
    return decodeRow(row, undefined, this.now());
  }

  protected write(selector: string, stored: StoredSession, renews: boolean): Promise<unknown> {
    const row = encodeRow(stored, this.now());
    if (renews && canTouch(this.#store)) return touch(this.#store, selector, row);
    return called((done) => this.#store.set(selector, row as never, done));
  }

  protected remove(selector: string): Promise<unknown> {
    return remove(this.#store, selector);
  }
}

function touch(store: TouchingStore, sid: string, row: ExpressRow): Promise<unknown> {
  return called((done) => store.touch(sid, row as never, done));
}

function remove(store: ExpressSessionStore, sid: string): Promise<unknown> {
  return called((done) => store.destroy(sid, done)).catch(ignoreMissing);
}
