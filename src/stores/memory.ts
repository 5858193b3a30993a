// Sessions in this process's memory: for one process, for tests, and the shortest example of a
// store that keeps every law. It is applyChange on a Map, bounded in entries and in bytes.
import { applyChange, toSaved } from "../core/change.ts";
import type {
  ListedSession,
  SavedSession,
  SessionChange,
  SessionStore,
  StoredSession,
} from "../core/store.ts";
import { kindOf } from "../core/text.ts";
import { ConfigError, LimitError } from "../errors.ts";

/** How many sessions a memory store keeps, and what it tells. */
export interface SessionMemoryStoreOptions {
  /** The most sessions; the one that was used longest ago goes first. Default 100000. */
  readonly maxEntries?: number | undefined;
  /** The most bytes, estimated as two for each UTF-16 unit and a share for the maps. Default 67108864, 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Told of a session that had to go to make room, by its id. */
  readonly onEvict?: ((id: string) => void) | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

const DEFAULT_ENTRIES = 100_000;
const DEFAULT_BYTES = 64 * 1024 * 1024;
/** Between two sweeps, in milliseconds; expired sessions are absent before that too. */
const SWEEP_INTERVAL = 60_000;
/** What V8 spends on a session and on an entry of its map besides the text, about. */
const SESSION_BYTES = 250;
const ENTRY_BYTES = 50;

interface Entry {
  readonly stored: StoredSession;
  readonly subject: string | undefined;
  readonly bytes: number;
}

/** A store in memory, bounded: gone with the process, and not shared between processes. */
export class SessionMemoryStore implements SessionStore {
  readonly capabilities = { atomic: true, durable: false, lists: true } as const;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #onEvict: ((id: string) => void) | undefined;
  readonly #now: () => number;
  /** In the order of use: what was used longest ago comes first. */
  readonly #entries = new Map<string, Entry>();
  readonly #idsBySubject = new Map<string, Set<string>>();
  #bytes = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionMemoryStoreOptions = {}) {
    this.#maxEntries = positive("maxEntries", options.maxEntries ?? DEFAULT_ENTRIES);
    this.#maxBytes = positive("maxBytes", options.maxBytes ?? DEFAULT_BYTES);
    this.#onEvict = options.onEvict;
    this.#now = options.now ?? Date.now;
  }

  /** How many sessions are kept, expired ones that no sweep has met included. */
  get size(): number {
    return this.#entries.size;
  }

  load(key: string): StoredSession | undefined {
    const entry = this.#live(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return copyOf(entry.stored);
  }

  /** @throws {LimitError} ERR_SESSION_LIMIT_SESSION for a session over `maxBytes` by itself. */
  save(key: string, change: SessionChange): SavedSession | undefined {
    const before = this.#live(key);
    const { refused, stored } = applyChange(before?.stored, change, this.#now());
    if (refused) return undefined;
    if (stored === undefined) {
      this.#remove(key);
      return toSaved(key, undefined);
    }
    const subject = change.subject === undefined ? before?.subject : (change.subject ?? undefined);
    const bytes = estimateBytes(key, stored);
    if (bytes > this.#maxBytes) {
      const message = `the session needs about ${bytes} bytes, over maxBytes ${this.#maxBytes} of the memory store`;
      const size = { actual: bytes, limit: this.#maxBytes };
      throw new LimitError("ERR_SESSION_LIMIT_SESSION", message, size);
    }
    this.#remove(key);
    this.#add(key, { stored, subject, bytes });
    this.#makeRoom();
    this.#startSweeping();
    return toSaved(key, stored);
  }

  /** The live sessions of a subject, in no particular order. */
  async *list(subject: string): AsyncGenerator<ListedSession> {
    for (const id of this.#idsOf(subject)) {
      const entry = this.#live(id);
      if (entry !== undefined) yield { id, stored: copyOf(entry.stored) };
    }
  }

  async destroyAll(subject: string, options: { except?: string } = {}): Promise<number> {
    let destroyed = 0;
    for (const id of this.#idsOf(subject)) {
      if (id === options.except || this.#live(id) === undefined) continue;
      this.#remove(id);
      destroyed++;
    }
    return destroyed;
  }

  async sweep(limit: number): Promise<number> {
    return this.#sweep(limit);
  }

  /** Stops the sweeping; what is kept stays readable. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** What is there and not expired (S7). */
  #live(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.stored.expires > this.#now()) return entry;
    this.#remove(id);
    return undefined;
  }

  #add(id: string, entry: Entry): void {
    this.#entries.set(id, entry);
    this.#bytes += entry.bytes;
    if (entry.subject === undefined) return;
    const ids = this.#idsBySubject.get(entry.subject);
    if (ids === undefined) this.#idsBySubject.set(entry.subject, new Set([id]));
    else ids.add(id);
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
    if (entry.subject === undefined) return;
    const ids = this.#idsBySubject.get(entry.subject);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsBySubject.delete(entry.subject);
  }

  /** A copy: callers go on while sessions of the subject come and go. */
  #idsOf(subject: string): string[] {
    return [...(this.#idsBySubject.get(subject) ?? [])];
  }

  #makeRoom(): void {
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
      const isLive = this.#live(id) !== undefined;
      this.#remove(id);
      if (isLive) this.#onEvict?.(id);
    }
  }

  #sweep(limit: number): number {
    const now = this.#now();
    let removed = 0;
    for (const [id, { stored }] of this.#entries) {
      if (removed >= limit) break;
      if (stored.expires > now) continue;
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
    // The timer alone keeps no process alive; only Node's and Bun's have this.
    (timer as { unref?: () => void }).unref?.();
    this.#timer = timer;
  }
}

function copyOf(stored: StoredSession): StoredSession {
  return { ...stored, data: new Map(stored.data) };
}

function estimateBytes(id: string, stored: StoredSession): number {
  let units = id.length + stored.meta.length;
  for (const [key, value] of stored.data) units += key.length + value.length;
  return SESSION_BYTES + stored.data.size * ENTRY_BYTES + units * 2;
}

function positive(field: string, value: unknown): number {
  if (typeof value === "number" && value >= 1) return value;
  const found = typeof value === "number" ? String(value) : kindOf(value);
  throw new ConfigError("ERR_SESSION_CONFIG_FIELD", field, `must be at least 1, not ${found}`);
}
