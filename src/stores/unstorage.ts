// Sessions in any storage with an unstorage driver. Drivers read and write whole values without
// compare-and-swap, so this store isn't atomic between processes; within one, saves take turns.
import { keyPrefix, mintSelector } from "../store/selector.ts";
import { warnOfRaces } from "../store/races.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { StoredSession } from "../store/contract.ts";
import { clock, fail, flag, hasMethods, readOptions, required } from "../base/options.ts";
import { WholeValueStore } from "../store/whole-value-store.ts";
import { StoreError } from "../errors.ts";

/** The part of a storage that is used: `createStorage()` of the package `unstorage` has it. */
export interface UnstorageStorage {
  getItem(key: string): unknown;
  /** `ttl` is in seconds; drivers without a time to live ignore it. */
  setItem(key: string, value: string, options: { ttl?: number }): Promise<void>;
  removeItem(key: string): Promise<void>;
}

/** The storage and the keys' prefix. */
export interface SessionUnstorageStoreOptions {
  /** A storage with a driver, or a part of one by `prefixStorage`. */
  readonly storage: UnstorageStorage;
  /** Before each key, at most 100 characters, without "?" and "..". Default "kocha:". */
  readonly prefix?: string | undefined;
  /** True: concurrent requests may overwrite each other, and no process warning says so. Default false. */
  readonly acceptRaces?: boolean | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** How many seconds a driver keeps a value past its end; the end inside decides. */
const KEPT_LONGER = 60;
/**
 * How often a value that doesn't decode is read. A driver for files writes in place: beside one busy
 * writer 18 % of reads got half a value, so that many in a row are one in a million.
 */
const READS = 8;
/** The longest pause before the second read, in milliseconds; it doubles before each later one. */
const FIRST_PAUSE = 1;

/** A store on unstorage: last writer wins between processes, and it says so once. */
export class SessionUnstorageStore extends WholeValueStore {
  readonly #storage: UnstorageStorage;
  readonly #prefix: string;
  /** True once the storage was seen to keep two keys apart. */
  #keepsApart = false;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionUnstorageStoreOptions) {
    const { storage, prefix, acceptRaces, now } = readOptions("SessionUnstorageStore", options, {
      storage: required<UnstorageStorage>(
        "what createStorage() of the package unstorage gives, with getItem, setItem and removeItem",
        (value) => hasMethods(value, "getItem", "setItem", "removeItem"),
      ),
      prefix: keyPrefix("kocha:"),
      acceptRaces: flag(false),
      now: clock(),
    });
    super(now);
    checkKept(prefix);
    this.#storage = storage;
    this.#prefix = prefix;
    warnOfRaces("SessionUnstorageStore", acceptRaces);
  }

  /** @throws {ConfigError} ERR_SESSION_CONFIG_FIELD when the storage doesn't keep keys apart. */
  protected async read(selector: string): Promise<StoredSession | undefined> {
    await this.#tryKeys();
    for (let reads = 1; ; reads++) {
      // oxlint-disable-next-line no-await-in-loop -- the next read needs this one's outcome
      const value = await this.#storage.getItem(this.#prefix + selector);
      if (value === undefined || value === null) return undefined;
      const stored = decodeRecord(value);
      if (stored !== undefined) return stored;
      if (reads === READS) throw undecodable();
      const pause = Math.random() * FIRST_PAUSE * 2 ** reads;
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  protected async write(selector: string, stored: StoredSession): Promise<void> {
    const { expires } = stored;
    await this.#storage.setItem(
      this.#prefix + selector,
      encodeRecord(stored),
      this.#lifetime(expires),
    );
  }

  protected remove(selector: string): Promise<unknown> {
    return this.#storage.removeItem(this.#prefix + selector);
  }

  #lifetime(expires: number): { ttl?: number } {
    if (expires === Infinity) return {};
    return { ttl: Math.max(0, Math.ceil((expires - this.now()) / 1000)) + KEPT_LONGER };
  }

  /**
   * Writes two values under keys of sessions' kind and reads the first: a storage that rewrites keys
   * can make two keys one, and a user would read another's session. It runs once, at the first request:
   * workers can't reach a storage at construction, and nobody would get the error.
   */
  async #tryKeys(): Promise<void> {
    if (this.#keepsApart) return;
    const keys = [mintSelector(), mintSelector()].map((selector) => this.#prefix + selector);
    const [one = "", other = ""] = keys;
    await this.#storage.setItem(one, "one", { ttl: KEPT_LONGER });
    await this.#storage.setItem(other, "other", { ttl: KEPT_LONGER });
    const found = await this.#storage.getItem(one);
    await Promise.all(keys.map((key) => this.#storage.removeItem(key)));
    // An eventually consistent storage may not have it yet; only the other one's value is an error.
    if (found === "other") fail("prefix", "makes the storage take all sessions for one");
    this.#keepsApart = true;
  }
}

function undecodable(): StoreError {
  const message =
    `a value was there and was no session at ${READS} reads in a row: another process cuts it ` +
    "while it writes, or something else than this store wrote it";
  return new StoreError("ERR_SESSION_STORE_ANSWER", "load", message);
}

/** Unstorage cuts a key at "?", and its drivers for files refuse "..". */
function checkKept(prefix: string): void {
  if (prefix.includes("?")) fail("prefix", 'must have no "?": unstorage cuts every key there');
  if (prefix.includes("..")) fail("prefix", 'must have no "..": it leads out of a folder');
}
