// Sessions in whatever unstorage has a driver for. A driver reads and writes whole values and has
// no compare-and-swap, so this store isn't atomic between processes; within one it races nobody.
import { applyChange, toSaved } from "../core/change.ts";
import { KeyQueue } from "../core/key-queue.ts";
import { warnOfRaces } from "../core/races.ts";
import { checkPrefix, decodeRecord, encodeRecord, isSelector } from "../core/record.ts";
import type { SavedSession, SessionChange, SessionStore, StoredSession } from "../core/store.ts";
import { kindOf } from "../core/text.ts";
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
export class SessionUnstorageStore implements SessionStore {
  readonly capabilities = { atomic: false, durable: false } as const;
  readonly #storage: UnstorageStorage;
  readonly #prefix: string;
  readonly #now: () => number;
  readonly #queue = new KeyQueue();

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionUnstorageStoreOptions) {
    this.#storage = checkStorage(options.storage);
    this.#prefix = checkPrefix(options.prefix ?? "kocha:");
    this.#now = options.now ?? Date.now;
    warnOfRaces("SessionUnstorageStore", options.acceptRaces);
  }

  async load(key: string): Promise<StoredSession | undefined> {
    if (!isSelector(key)) return undefined;
    // In the queue too: what files hold while they are being written is half a session.
    const stored = await this.#queue.run(key, () => this.#read(key));
    return stored !== undefined && stored.expires > this.#now() ? stored : undefined;
  }

  async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (!isSelector(key)) return change.op === "destroy" ? toSaved(key, undefined) : undefined;
    return this.#queue.run(key, () => this.#apply(key, change));
  }

  async #apply(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    const before = change.op === "destroy" ? undefined : await this.#read(key);
    const { refused, stored } = applyChange(before, change, this.#now());
    if (refused) return undefined;
    const id = this.#prefix + key;
    if (stored === undefined) await this.#storage.removeItem(id);
    else await this.#storage.setItem(id, encodeRecord(stored), this.#lifetime(stored.expires));
    return toSaved(key, stored);
  }

  async #read(key: string): Promise<StoredSession | undefined> {
    return decodeRecord(await this.#storage.getItem(this.#prefix + key));
  }

  #lifetime(expires: number): { ttl?: number } {
    if (expires === Infinity) return {};
    return { ttl: Math.max(0, Math.ceil((expires - this.#now()) / 1000)) + KEPT_LONGER };
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
