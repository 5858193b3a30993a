// Sessions in whatever unstorage has a driver for. A driver reads and writes whole values and has
// no compare-and-swap, so this store isn't atomic between processes; within one it races nobody.
import { warnOfRaces } from "../core/races.ts";
import { checkPrefix, decodeRecord, encodeRecord } from "../core/record.ts";
import type { StoredSession } from "../core/store.ts";
import { kindOf } from "../core/text.ts";
import { WholeValueStore } from "../core/whole-value-store.ts";
import { ConfigError } from "../errors.ts";

/** What is needed of a storage: `createStorage()` of the package `unstorage` gives it. */
export interface UnstorageStorage {
  getItem(key: string): unknown;
  /** Drivers that know a time to live take `ttl`, in seconds; the others ignore it. */
  setItem(key: string, value: string, options: { ttl?: number }): Promise<void>;
  removeItem(key: string): Promise<void>;
}

/** Where the sessions are. */
export interface SessionUnstorageStoreOptions {
  /** A storage with a driver, or a part of one by `prefixStorage`. */
  readonly storage: UnstorageStorage;
  /** Before each key, at most 100 characters. Default "kocha:". */
  readonly prefix?: string | undefined;
  /** Whether the application knows that concurrent requests can overwrite each other. Default false: a process warning says it. */
  readonly acceptRaces?: boolean | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** How many seconds a driver keeps a value longer than it lives: the value's own end decides. */
const KEPT_LONGER = 60;

/** A store on unstorage: last writer wins between processes, and it says so once. */
export class SessionUnstorageStore extends WholeValueStore {
  readonly #storage: UnstorageStorage;
  readonly #prefix: string;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionUnstorageStoreOptions) {
    super(options.now ?? Date.now);
    this.#storage = checkStorage(options.storage);
    this.#prefix = checkPrefix(options.prefix ?? "kocha:");
    warnOfRaces("SessionUnstorageStore", options.acceptRaces);
  }

  protected async read(key: string): Promise<StoredSession | undefined> {
    return decodeRecord(await this.#storage.getItem(this.#prefix + key));
  }

  protected write(key: string, stored: StoredSession): Promise<unknown> {
    const { expires } = stored;
    return this.#storage.setItem(this.#prefix + key, encodeRecord(stored), this.#lifetime(expires));
  }

  protected remove(key: string): Promise<unknown> {
    return this.#storage.removeItem(this.#prefix + key);
  }

  #lifetime(expires: number): { ttl?: number } {
    if (expires === Infinity) return {};
    return { ttl: Math.max(0, Math.ceil((expires - this.now()) / 1000)) + KEPT_LONGER };
  }
}

function checkStorage(storage: unknown): UnstorageStorage {
  const { getItem, setItem, removeItem } = (storage ?? {}) as Partial<UnstorageStorage>;
  if ([getItem, setItem, removeItem].every((method) => typeof method === "function")) {
    return storage as UnstorageStorage;
  }
  throw new ConfigError(
    "ERR_SESSION_CONFIG_STORE",
    "storage",
    `must be what createStorage() of the package unstorage gives, not ${kindOf(storage)} ` +
      "without getItem, setItem and removeItem",
  );
}
