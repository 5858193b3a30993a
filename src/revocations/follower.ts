// Revocations that follow a log: each process holds the whole list in memory and asks the log what is
// new, once in a poll interval. It says how old its list is, and answers nothing from one too old.
import { StoreError, type StoreOperation } from "../errors.ts";
import {
  callback,
  type Checked,
  fail,
  hasMethods,
  mustBe,
  oneOf,
  type ReadersOf,
  readOptions,
  seconds,
} from "../base/options.ts";
import { DAY, SECOND } from "../base/time.ts";
import { ListedRevocations, type RevocationOptions, revocationReaders } from "./listed.ts";
import { type FollowerClock, type Moment, momentOf, msSince, systemClock } from "./moment.ts";
import type {
  AppendedRevocation,
  RevocationEntry,
  RevocationLog,
  RevocationPage,
  Revocations,
  SessionLimits,
} from "./revocations.ts";
import type { Awaitable } from "../base/awaitable.ts";

/** How a log is followed. Times are in seconds. */
export interface FollowOptions extends RevocationOptions {
  /** Between two polls: a revocation is known everywhere after so long. Default 1. */
  readonly pollInterval?: number | undefined;
  /** How old the list may get while the log can't be read. Default 10. */
  readonly maxStaleness?: number | undefined;
  /** What then happens: "fail", every session is an error with 503, or "continue", by the old list. Default "fail". */
  readonly onStale?: "fail" | "continue" | undefined;
  /** Told of each read of the log that failed. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The same, checked. */
export type FollowSettings = Checked<FollowOptions, "onFull" | "onError">;

/** Readers of {@link FollowOptions}. */
export function followReaders(): ReadersOf<FollowSettings> {
  return {
    ...revocationReaders(),
    pollInterval: seconds(DEFAULT_POLL, DAY, "a day"),
    maxStaleness: seconds(DEFAULT_STALENESS),
    onStale: oneOf(["fail", "continue"], "fail"),
    onError: callback<(error: unknown) => void>(),
  };
}

const DEFAULT_POLL = 1;
const DEFAULT_STALENESS = 10;
/** About how long after the last read of the whole log the next one begins. */
const RELOAD_INTERVAL = 3600 * SECOND;
/** How long a log may take where no configuration says so, in milliseconds. */
const DEFAULT_TIMEOUT = SECOND;
/** A log that was away may come back with less or other than it had: it is read whole within this time. */
const RELOAD_AFTER_FAILURE = 30 * SECOND;
/** Reads that the log never answered; at so many it isn't asked again before one of them ends. */
const MAX_HANGING = 4;
/** Entries that a poll looks at to drop what nothing needs. */
const SWEEP_STEPS = 2000;
/** Records that the log is asked to remove at once. */
const LOG_SWEEP = 1000;

const nothing = (): void => undefined;

/** Follows one log. */
export class RevocationFollower extends ListedRevocations {
  readonly #log: RevocationLog;
  readonly #clock: FollowerClock;
  readonly #pollMs: number;
  readonly #maxStalenessMs: number;
  readonly #continues: boolean;
  readonly #onError: (error: unknown) => void;
  #coveredTimeoutMs = 0;
  #cursor: string | undefined;
  /** When the last poll began that was answered; undefined: nothing was loaded yet. */
  #asOf: Moment | undefined;
  /** When the last poll failed, and with what; undefined: it was answered. */
  #failure: { readonly at: Moment; readonly error: unknown } | undefined;
  /** The log's clock, and when we read it. */
  #logTime: Moment | undefined;
  #polling: Promise<void> | undefined;
  #hanging = 0;
  #isClosed = false;
  #cancelPoll = nothing;
  #cancelReload = nothing;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_FIELD when the list would always be too old. */
  constructor(log: RevocationLog, options: FollowSettings, clock: FollowerClock = systemClock) {
    super(options);
    this.#log = log;
    this.#clock = clock;
    this.#pollMs = options.pollInterval * SECOND;
    this.#maxStalenessMs = options.maxStaleness * SECOND;
    if (this.#maxStalenessMs <= this.#pollMs) {
      fail("maxStaleness", "must be longer than pollInterval, or the list is always too old");
    }
    this.#continues = options.onStale === "continue";
    this.#onError = options.onError ?? nothing;
  }

  override cover(limits: SessionLimits): void {
    super.cover(limits);
    this.#coveredTimeoutMs = Math.max(this.#coveredTimeoutMs, limits.timeout);
  }

  /** A node that goes on with an old list goes on renewing what it doesn't know to be dead. */
  protected lifeOf({ idle, absolute }: SessionLimits): number {
    const renewable = this.#continues ? Infinity : this.#maxStalenessMs;
    return Math.min(absolute, idle + renewable);
  }

  ready(): Awaitable<void> {
    // Half of it is left for the request: what is asked later still gets its answer.
    return this.#isWithin(this.#maxStalenessMs / 2) ? undefined : this.#catchUp();
  }

  /** Stops the polling; what is asked afterwards reads the log itself when the list is too old. */
  close(): void {
    this.#isClosed = true;
    this.#cancelPoll();
    this.#cancelReload();
  }

  protected assertFresh(): void {
    if (this.#isFresh || (this.#continues && this.#asOf !== undefined)) return;
    throw this.#stale();
  }

  /** The log's clock went at least as far when it answered, so this never runs ahead of it. */
  protected get now(): number {
    const { elapsed, now } = this.#clock;
    const known = this.#logTime;
    return known === undefined ? now() : known.now + Math.floor(elapsed() - known.elapsed);
  }

  protected async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    try {
      return await this.#ask("revoke", () => this.#log.append(entry));
    } catch (cause) {
      if (cause instanceof StoreError) throw cause;
      const message = "the log of revocations failed to take an entry; its own error is the cause";
      throw new StoreError("ERR_SESSION_STORE_FAILED", "revoke", message, { cause });
    }
  }

  get #timeoutMs(): number {
    return this.#coveredTimeoutMs || DEFAULT_TIMEOUT;
  }

  get #isFresh(): boolean {
    return this.#isWithin(this.#maxStalenessMs);
  }

  #isWithin(ms: number): boolean {
    return this.#asOf !== undefined && msSince(this.#asOf, this.#clock) <= ms;
  }

  async #catchUp(): Promise<void> {
    const mayGoOn = this.#continues && this.#asOf !== undefined;
    // A log that has just been asked in vain is asked again by the next poll, not by each request.
    const isDown =
      this.#failure !== undefined &&
      msSince(this.#failure.at, this.#clock) < this.#pollMs + this.#timeoutMs;
    if (!isDown) {
      try {
        await this.#poll();
        // The poll that was waited for may have begun before this process was paused.
        if (!this.#isFresh) await this.#poll();
      } catch {
        // What failed is in #failure.
      }
    }
    if (!mayGoOn && !this.#isFresh) throw this.#stale();
  }

  #stale(): StoreError {
    const message =
      this.#asOf === undefined
        ? "the revocations could not be loaded yet"
        : `the revocations could not be read for longer than maxStaleness, ${this.#maxStalenessMs / SECOND} s`;
    const cause = this.#failure?.error;
    return new StoreError(
      "ERR_SESSION_STORE_FAILED",
      "load",
      `${message}, so nobody can say which sessions live; the log's own error is the cause`,
      { cause },
    );
  }

  /** One poll at a time, whoever asks for it; then the next one is due. */
  #poll(): Promise<void> {
    return (this.#polling ??= this.#read().finally(() => {
      this.#polling = undefined;
      this.#cancelPoll();
      if (this.#isClosed) return;
      this.#cancelPoll = this.#clock.schedule(this.#pollMs, () => void this.#poll().catch(nothing));
    }));
  }

  async #read(): Promise<void> {
    const began = momentOf(this.#clock);
    try {
      this.#cursor = await this.#follow(this.#cursor);
    } catch (error) {
      if (this.#failure === undefined) this.#reloadIn(RELOAD_AFTER_FAILURE * Math.random());
      this.#failure = { at: momentOf(this.#clock), error };
      this.#tell(error);
      throw error;
    }
    if (this.#asOf === undefined) this.#reloadIn(RELOAD_INTERVAL);
    this.#asOf = began;
    this.#failure = undefined;
    this.dead.sweep(this.now, SWEEP_STEPS);
  }

  /** Takes in all that the log has from a cursor on; gives where the next poll goes on. */
  async #follow(cursor: string | undefined): Promise<string> {
    const page: RevocationPage = await this.#ask("load", () => this.#log.read(cursor));
    this.#logTime = { now: page.now, elapsed: this.#clock.elapsed() };
    for (const record of page.records) this.dead.add(record, page.now);
    return page.more ? this.#follow(page.cursor) : page.cursor;
  }

  #reloadIn(ms: number): void {
    this.#cancelReload();
    if (this.#isClosed) return;
    this.#cancelReload = this.#clock.schedule(ms, () => {
      // Not all processes at once.
      this.#reloadIn(RELOAD_INTERVAL * (0.9 + 0.2 * Math.random()));
      // Polls go on meanwhile: the whole log takes long to read, and the list must not get old.
      this.#follow(undefined)
        .then(() => this.#sweepLog())
        .catch((error: unknown) => this.#tell(error));
    });
  }

  /** Removes from the log what nothing needs, if the log leaves that to us. */
  async #sweepLog(): Promise<void> {
    const log = this.#log;
    if (log.sweep === undefined) return;
    const gone = await this.#ask("sweep", async () => log.sweep?.(LOG_SWEEP) ?? 0);
    if (gone >= LOG_SWEEP) await this.#sweepLog();
  }

  /** The log's answer, in time; a late one is dropped. */
  async #ask<T>(operation: StoreOperation, ask: () => Promise<T>): Promise<T> {
    if (this.#hanging >= MAX_HANGING) {
      throw this.#timedOut(operation, `has not answered ${MAX_HANGING} times`);
    }
    const answer = ask();
    let cancel = nothing;
    let isLate = false;
    const timeout = new Promise<never>((_, reject) => {
      cancel = this.#clock.schedule(this.#timeoutMs, () => {
        isLate = true;
        this.#hanging++;
        reject(this.#timedOut(operation, `did not answer within ${this.#timeoutMs} ms`));
      });
    });
    const settle = (): void => {
      cancel();
      if (isLate) this.#hanging--;
    };
    answer.then(settle, settle);
    return Promise.race([answer, timeout]);
  }

  #timedOut(operation: StoreOperation, what: string): StoreError {
    const message = `the log of revocations ${what}; see storeTimeout`;
    return new StoreError("ERR_SESSION_STORE_TIMEOUT", operation, message);
  }

  /** An observer that throws fails nothing. */
  #tell(error: unknown): void {
    try {
      this.#onError(error);
    } catch {
      // Its own affair.
    }
  }
}

/**
 * Revocations that follow a log, such as a user's own; `redisRevocations`, `postgresRevocations` and
 * `sqliteRevocations` are made of it.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function followRevocations(log: RevocationLog, options: FollowOptions = {}): Revocations {
  if (!hasMethods(log, "append", "read")) {
    mustBe("log", "a log with the methods append and read", log);
  }
  return new RevocationFollower(log, readOptions("followRevocations", options, followReaders()));
}
