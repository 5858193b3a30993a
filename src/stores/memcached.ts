// Sessions in memcached, by the client `memcache`: each is read with its version, changed by
// `applyChange`, and written back only if the version is still the same. There is no plain set, which
// could bring a deleted session back. It has no index, and memcached may evict: it isn't durable.
import { applyChange, toSaved } from "../store/change.ts";
import { RowQueue } from "../store/row-queue.ts";
import { isSelector, keyPrefix } from "../store/selector.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import { OUTRUN, untilApplied } from "../store/swap.ts";
import type {
  SavedSession,
  SessionChange,
  SessionStore,
  StoredSession,
} from "../store/contract.ts";
import { clock, count, fail, hasMethods, readOptions, required } from "../base/options.ts";
import { utf8Length } from "../base/text.ts";
import { MAX_SKEW, SECOND } from "../base/time.ts";
import { LimitError } from "../errors.ts";

/** One server of the client's hash ring. */
export interface MemcachedNode {
  /** Sends a command of the text protocol; rejects when the server can't answer. */
  command(line: string, options?: { isMultiline?: boolean }): Promise<unknown>;
  /** With SASL the client speaks the binary protocol, where it reads no versions. */
  readonly hasSaslCredentials?: boolean;
}

/** The part of a client that is used: `Memcache` of the package `memcache` has it. */
export interface MemcachedClient {
  getNodesByKey(key: string): Promise<readonly MemcachedNode[]>;
}

/** The client, the keys' prefix and the server's limit on items. */
export interface SessionMemcachedStoreOptions {
  /** A connected client of the package `memcache`. */
  readonly client: MemcachedClient;
  /** Before each key, at most 100 characters. Default "kocha:". */
  readonly prefix?: string | undefined;
  /** The server's `-I`, in bytes. Default 1048576, 1 MiB. */
  readonly maxItemBytes?: number | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

const DEFAULT_ITEM_BYTES = 1024 * 1024;
/** memcached reads an expiry as a signed 32-bit number of Unix seconds. */
const LAST_EXPIRY = 0x7fff_ffff;
const NEVER = 0;
/** The client's form of NOT_STORED, the reply to an add whose key exists. */
const NOT_STORED = false;

/** A row as it was read, with the version for its compare-and-swap. */
interface VersionedRow {
  readonly version: string;
  readonly stored: StoredSession | undefined;
}

/**
 * A store on memcached: atomic by compare-and-swap, gone when memcached restarts or needs the room.
 * A load is one command; a commit is two round trips and carries the whole session.
 */
export class SessionMemcachedStore implements SessionStore {
  readonly capabilities = { atomic: true, expects: true, durable: false } as const;
  readonly #client: MemcachedClient;
  readonly #prefix: string;
  readonly #maxItemBytes: number;
  readonly #now: () => number;
  readonly #queue = new RowQueue();
  /** Look-ups wait for each other, or the client would connect twice. */
  readonly #lookUps = new RowQueue();

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionMemcachedStoreOptions) {
    const { client, prefix, maxItemBytes, now } = readOptions("SessionMemcachedStore", options, {
      client: required<MemcachedClient>(
        "a Memcache of the package memcache, with getNodesByKey (memjs has no compare-and-swap)",
        (value) => hasMethods(value, "getNodesByKey"),
      ),
      prefix: keyPrefix("kocha:"),
      maxItemBytes: count(DEFAULT_ITEM_BYTES),
      now: clock(),
    });
    this.#client = client;
    this.#prefix = prefix;
    this.#maxItemBytes = maxItemBytes;
    this.#now = now;
  }

  answerWithin(ms: number): void {
    this.#queue.allow(ms);
    this.#lookUps.allow(ms);
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    if (!isSelector(selector)) return undefined;
    const node = await this.#nodeOf(selector);
    const stored = await this.#read(node, selector);
    return stored !== undefined && stored.expires > this.#now() ? stored : undefined;
  }

  /**
   * @throws {LimitError} ERR_SESSION_LIMIT_SESSION for a session over `maxItemBytes`.
   * @throws {StoreError} ERR_SESSION_STORE_FAILED when other writers were faster 16 times in a row;
   * then nothing was saved.
   */
  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (!isSelector(selector)) return change.op === "destroy" ? toSaved(undefined) : undefined;
    const node = await this.#nodeOf(selector);
    if (change.op === "destroy") {
      await tell(node, `delete ${this.#prefix}${selector}`, ["DELETED", "NOT_FOUND"]);
      return toSaved(undefined);
    }
    return this.#queue.run(selector, (turn) =>
      change.op === "create"
        ? this.#create(node, selector, change)
        : untilApplied(turn, () => this.#update(node, selector, change)),
    );
  }

  /** Reads the row, applies the change, and writes if the row's version is still the same. */
  async #update(
    node: MemcachedNode,
    selector: string,
    change: SessionChange,
  ): Promise<SavedSession | undefined | typeof OUTRUN> {
    const row = await this.#readVersioned(node, selector);
    return row === undefined ? undefined : this.#write(node, selector, change, row);
  }

  async #create(
    node: MemcachedNode,
    selector: string,
    change: SessionChange,
  ): Promise<SavedSession | undefined> {
    const outcome = await this.#write(node, selector, change, undefined);
    return outcome === OUTRUN ? this.#overwriteDead(node, selector, change) : outcome;
  }

  /** A create whose selector is taken: by a live session, which stays, or by one whose end has passed. */
  async #overwriteDead(
    node: MemcachedNode,
    selector: string,
    change: SessionChange,
  ): Promise<SavedSession | undefined> {
    const row = await this.#readVersioned(node, selector);
    const outcome = await this.#write(node, selector, change, row);
    // Another create was first; its live session stays.
    return outcome === OUTRUN ? undefined : outcome;
  }

  async #write(
    node: MemcachedNode,
    selector: string,
    change: SessionChange,
    row: VersionedRow | undefined,
  ): Promise<SavedSession | undefined | typeof OUTRUN> {
    const { refused, stored } = applyChange(row?.stored, change, this.#now());
    if (refused || stored === undefined) return undefined;
    const value = encodeRecord(stored);
    const bytes = utf8Length(value);
    this.#checkSize(bytes);
    const item = `${this.#prefix}${selector} 0 ${expiryOf(stored.expires)} ${bytes}`;
    const line =
      row === undefined ? `add ${item}\r\n${value}` : `cas ${item} ${row.version}\r\n${value}`;
    const reply = await this.#store(node, line, bytes);
    if (reply === "STORED") return toSaved(stored);
    // The row was destroyed or evicted: an update never brings it back.
    return reply === "NOT_FOUND" && change.op === "update" ? undefined : OUTRUN;
  }

  async #store(node: MemcachedNode, line: string, bytes: number): Promise<unknown> {
    try {
      return await tell(node, line, ["STORED", "EXISTS", "NOT_FOUND", NOT_STORED]);
    } catch (error) {
      if (isTooLarge(error)) throw tooLarge(bytes, this.#maxItemBytes, error);
      throw error;
    }
  }

  /**
   * The row with its version: two commands in one round trip. The version is asked for first, so
   * that a write between the two makes the swap fail, never succeed on a row that wasn't read.
   */
  async #readVersioned(node: MemcachedNode, selector: string): Promise<VersionedRow | undefined> {
    const [meta, stored] = await Promise.all([
      node.command(`mg ${this.#prefix}${selector} c`),
      this.#read(node, selector),
    ]);
    if (meta === "EN") return undefined;
    const version = typeof meta === "string" ? /^HD c(\d+)$/.exec(meta)?.[1] : undefined;
    if (version === undefined) throw unexpected("mg");
    return { version, stored };
  }

  async #read(node: MemcachedNode, selector: string): Promise<StoredSession | undefined> {
    const lines = (await node.command(`get ${this.#prefix}${selector}`, { isMultiline: true })) as
      | readonly unknown[]
      | undefined;
    return decodeRecord(lines?.[0]);
  }

  #checkSize(bytes: number): void {
    if (bytes > this.#maxItemBytes) throw tooLarge(bytes, this.#maxItemBytes);
  }

  /** The one server of a row. */
  async #nodeOf(selector: string): Promise<MemcachedNode> {
    const nodes = await this.#lookUps.run("", () =>
      this.#client.getNodesByKey(this.#prefix + selector),
    );
    const [node] = nodes;
    if (node === undefined || nodes.length > 1) {
      const message =
        `the client names ${nodes.length} servers for one key, but only one of them can decide; ` +
        "use its default hash";
      fail("client", message, "ERR_SESSION_CONFIG_STORE");
    }
    if (node.hasSaslCredentials === true) {
      const message = "uses SASL, and so the binary protocol, where it can't read versions";
      fail("client", message, "ERR_SESSION_CONFIG_STORE");
    }
    return node;
  }
}

/**
 * Absolute Unix seconds: memcached takes a number of up to 30 days for a duration, and a longer
 * duration for an instant in 1970. It is later than the session's end, which decides, by as much as clocks may
 * differ. Past its 32 bits, the item has none.
 */
function expiryOf(expires: number): number {
  const seconds = Math.ceil((expires + MAX_SKEW) / SECOND);
  return seconds <= LAST_EXPIRY ? seconds : NEVER;
}

/** Sends a command and gives its reply; any other than `replies` is an error. */
async function tell(
  node: MemcachedNode,
  line: string,
  replies: readonly unknown[],
): Promise<unknown> {
  const reply = await node.command(line);
  if (replies.includes(reply)) return reply;
  throw unexpected(line.slice(0, line.indexOf(" ")));
}

function unexpected(command: string): Error {
  return new Error(`memcached answered ${command} with something else than it may`);
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("SERVER_ERROR object too large");
}

function tooLarge(actual: number, limit: number, cause?: unknown): LimitError {
  const message =
    `the session needs ${actual} bytes in memcached, which takes no item over ${limit} with its ` +
    "key and header; lower maxSessionBytes, or raise memcached's -I and maxItemBytes";
  const error = new LimitError("ERR_SESSION_LIMIT_SESSION", message, { actual, limit });
  if (cause !== undefined) error.cause = cause;
  return error;
}
