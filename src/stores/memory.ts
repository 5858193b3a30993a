// Sessions in this process's memory: for one process, for tests, and the shortest example of a
// store that keeps every law: applyChange on a Map, bounded in entries and in bytes.
import { applyChange, toSaved } from "../store/change.ts";
import type {
  ListedSession,
  SavedSession,
  SessionChange,
  SessionStore,
  StoredSession,
} from "../store/contract.ts";
import { callback, clock, count, readOptions } from "../base/options.ts";
import { LimitError } from "../errors.ts";
import { packPairs, unpackPairs } from "./packed.ts";

/** The bounds of a memory store, its observer and its clock. */
export interface SessionMemoryStoreOptions {
  /** The most sessions; one that was not used lately goes first. Default 100000. */
  readonly maxEntries?: number | undefined;
  /** The most bytes, estimated as two for each UTF-16 unit and a share for the maps. Default 67108864, 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Called with the id of each session that was evicted to make room. */
  readonly onEvict?: ((id: string) => void) | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** The stores that copies of a module share, by their configurations: one table a process. */
const shared = Symbol.for("kocha-session.shared-memory-stores");
interface Sharing {
  [shared]?: Map<string, SessionMemoryStore>;
}

const DEFAULT_ENTRIES = 100_000;
const DEFAULT_BYTES = 64 * 1024 * 1024;
/** Between two sweeps, in milliseconds; an expired session reads as absent before its sweep, too. */
const SWEEP_INTERVAL = 60_000;
/** About what a session takes in V8 beside its text, in bytes. */
const SESSION_BYTES = 200;

interface Entry {
  /** The pairs as one string: a Map would take more memory than everything else of the entry. */
  readonly pairs: string;
  readonly rev: number;
  readonly generation: number;
  readonly expires: number;
  readonly meta: string;
  readonly subject: string | undefined;
  /** True: it was used since the hand of the eviction clock last passed it. */
  used: boolean;
}

/** A store in memory, bounded: gone with the process, and not shared between processes. */
export class SessionMemoryStore implements SessionStore {
  readonly capabilities = { atomic: true, expects: true, durable: false, lists: true } as const;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #onEvict: ((id: string) => void) | undefined;
  readonly #now: () => number;
  /**
   * Never reordered: a Map slows down when its keys are deleted and set again. Eviction is a clock
   * (second chance): its hand spares an entry once that was used since it last passed.
   */
  readonly #entries = new Map<string, Entry>();
  readonly #idsBySubject = new Map<string, Set<string>>();
  #bytes = 0;
  #hand: Iterator<[string, Entry]> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The store that keeps the sessions of this one; undefined: it does so itself. */
  #keeper: SessionMemoryStore | undefined;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionMemoryStoreOptions = {}) {
    const { maxEntries, maxBytes, onEvict, now } = readOptions("SessionMemoryStore", options, {
      maxEntries: count(DEFAULT_ENTRIES),
      maxBytes: count(DEFAULT_BYTES, 1, Number.MAX_SAFE_INTEGER),
      onEvict: callback<(id: string) => void>(),
      now: clock(),
    });
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#onEvict = onEvict;
    this.#now = now;
  }

  /** How many sessions are kept, including expired ones before their sweep. */
  get size(): number {
    return this.#keeper?.size ?? this.#entries.size;
  }

  shareAs(key: string): void {
    const stores = ((globalThis as Sharing)[shared] ??= new Map());
    const first = stores.get(key);
    if (first === undefined) stores.set(key, this);
    else if (first !== this) this.#keeper = first;
  }

  load(selector: string): StoredSession | undefined {
    if (this.#keeper !== undefined) return this.#keeper.load(selector);
    const entry = this.#live(selector);
    if (entry === undefined) return undefined;
    entry.used = true;
    return toStored(entry);
  }

  /** @throws {LimitError} ERR_SESSION_LIMIT_SESSION for a session over `maxBytes` by itself. */
  save(selector: string, change: SessionChange): SavedSession | undefined {
    if (this.#keeper !== undefined) return this.#keeper.save(selector, change);
    const before = this.#live(selector);
    const { refused, stored } = applyChange(before && toStored(before), change, this.#now());
    if (refused) return undefined;
    if (stored === undefined) {
      this.#remove(selector);
      return toSaved(undefined);
    }
    const { rev, generation, expires, meta } = stored;
    const subject = change.subject === undefined ? before?.subject : (change.subject ?? undefined);
    const pairs = packPairs(stored.data);
    // A new session counts as unused, so a flood of new ones doesn't evict those in use.
    const used = before !== undefined;
    const entry = { pairs, rev, generation, expires, meta, subject, used };
    const bytes = estimateBytes(selector, entry);
    if (bytes > this.#maxBytes) {
      const message = `the session needs about ${bytes} bytes, over maxBytes ${this.#maxBytes} of the memory store`;
      const size = { actual: bytes, limit: this.#maxBytes };
      throw new LimitError("ERR_SESSION_LIMIT_SESSION", message, size);
    }
    this.#put(selector, before, entry);
    this.#makeRoom(selector);
    this.#startSweeping();
    return toSaved(stored);
  }

  /** The live sessions of a subject, in no particular order. */
  list(subject: string): AsyncGenerator<ListedSession> {
    return this.#keeper?.list(subject) ?? this.#list(subject);
  }

  async *#list(subject: string): AsyncGenerator<ListedSession> {
    for (const id of this.#idsOf(subject)) {
      const entry = this.#live(id);
      if (entry !== undefined) yield { id, stored: toStored(entry) };
    }
  }

  async destroyAll(subject: string, options: { except?: string } = {}): Promise<number> {
    if (this.#keeper !== undefined) return this.#keeper.destroyAll(subject, options);
    let destroyed = 0;
    for (const id of this.#idsOf(subject)) {
      if (id === options.except || this.#live(id) === undefined) continue;
      this.#remove(id);
      destroyed++;
    }
    return destroyed;
  }

  async sweep(limit: number): Promise<number> {
    return this.#keeper?.sweep(limit) ?? this.#sweep(limit);
  }

  /** Stops the sweeping; the sessions stay readable. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The entry, unless it has expired (S7). */
  #live(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.expires > this.#now()) return entry;
    this.#remove(id);
    return undefined;
  }

  #put(id: string, before: Entry | undefined, entry: Entry): void {
    this.#entries.set(id, entry);
    this.#bytes += estimateBytes(id, entry);
    if (before !== undefined) this.#bytes -= estimateBytes(id, before);
    if (before?.subject === entry.subject) return;
    if (before !== undefined) this.#unlist(id, before);
    if (entry.subject === undefined) return;
    const ids = this.#idsBySubject.get(entry.subject);
    if (ids === undefined) this.#idsBySubject.set(entry.subject, new Set([id]));
    else ids.add(id);
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= estimateBytes(id, entry);
    this.#unlist(id, entry);
  }

  #unlist(id: string, entry: Entry): void {
    if (entry.subject === undefined) return;
    const ids = this.#idsBySubject.get(entry.subject);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsBySubject.delete(entry.subject);
  }

  /** A copy, since sessions of the subject may come and go while the caller iterates. */
  #idsOf(subject: string): string[] {
    return [...(this.#idsBySubject.get(subject) ?? [])];
  }

  /** @param kept - the session that was just saved; it isn't evicted. */
  #makeRoom(kept: string): void {
    while (this.#entries.size > this.#maxEntries || this.#bytes > this.#maxBytes) {
      this.#hand ??= this.#entries.entries();
      const next = this.#hand.next();
      if (next.done === true) {
        this.#hand = undefined;
        continue;
      }
      const [id, entry] = next.value;
      if (id === kept) continue;
      const isLive = this.#live(id) !== undefined;
      if (isLive && entry.used) {
        entry.used = false;
        continue;
      }
      this.#remove(id);
      if (isLive) this.#onEvict?.(id);
    }
  }

  #sweep(limit: number): number {
    const now = this.#now();
    let removed = 0;
    for (const [id, { expires }] of this.#entries) {
      if (removed >= limit) break;
      if (expires > now) continue;
      this.#remove(id);
      removed++;
    }
    return removed;
  }

  #startSweeping(): void {
    if (this.#timer !== undefined) return;
    const timer = setInterval(() => {
      this.#sweep(Infinity);
      if (this.#entries.size === 0) this.close();
    }, SWEEP_INTERVAL);
    // The timer keeps no process alive; only Node's and Bun's timers have `unref`.
    (timer as { unref?: () => void }).unref?.();
    this.#timer = timer;
  }
}

/** The session of an entry, as a copy. */
function toStored({ pairs, rev, generation, expires, meta }: Entry): StoredSession {
  return { data: unpackPairs(pairs), rev, generation, expires, meta };
}

function estimateBytes(id: string, { pairs, meta }: Entry): number {
  return SESSION_BYTES + 2 * (id.length + pairs.length + meta.length);
}
