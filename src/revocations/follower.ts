// Revocations that follow a log: each process holds the whole list in memory and asks the log for new
// entries once in a poll interval. It knows the age of its list, and gives no answer from one too old.
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
  /** The time between two polls, after which a revocation is known everywhere. Default 1. */
  readonly pollInterval?: number | undefined;
  /** The oldest list that is still used while the log can't be read. Default 10. */
  readonly maxStaleness?: number | undefined;
  /** With an older one: "fail", every session is an error with 503, or "continue" with that list. Default "fail". */
  readonly onStale?: "fail" | "continue" | undefined;
  /** Called with the error of each failed read of the log. */
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
/** After an outage a log may have lost entries: the whole log is read within this time. */
const RELOAD_AFTER_FAILURE = 30 * SECOND;
/** With so many unanswered calls the log isn't asked again until one of them ends. */
const MAX_HANGING = 4;
/** Entries that a poll checks for their end. */
const SWEEP_STEPS = 2000;
/** Records that one sweep of the log removes. */
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
  /** The start of the last answered poll; undefined: the list isn't loaded yet. */
  #asOf: Moment | undefined;
  /** The failure of the last poll; undefined: it was answered. */
  #failure: { readonly at: Moment; readonly error: unknown } | undefined;
  /** The log's clock, and the moment of that reading. */
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

  /** A node that continues with an old list keeps renewing sessions that are revoked elsewhere. */
  protected lifeOf({ idle, absolute }: SessionLimits): number {
    const renewable = this.#continues ? Infinity : this.#maxStalenessMs;
    return Math.min(absolute, idle + renewable);
  }

  ready(): Awaitable<void> {
    // Half of the allowed age is left for later questions of the same request.
    return this.#isWithin(this.#maxStalenessMs / 2) ? undefined : this.#catchUp();
  }

  /** Stops the polling; later requests read the log themselves when the list is too old. */
  close(): void {
    this.#isClosed = true;
    this.#cancelPoll();
    this.#cancelReload();
  }

  protected assertFresh(): void {
    if (this.#isFresh || (this.#continues && this.#asOf !== undefined)) return;
    throw this.#stale();
  }

  /** The log's clock by its last answer and the time since, so never ahead of it. */
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
    // After a failure the next poll asks the log again, not each request.
    const isDown =
      this.#failure !== undefined &&
      msSince(this.#failure.at, this.#clock) < this.#pollMs + this.#timeoutMs;
    if (!isDown) {
      try {
        await this.#poll();
        // That poll may have begun before this process was paused.
        if (!this.#isFresh) await this.#poll();
      } catch {
        // The error is in #failure.
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

  /** One poll at a time, shared by all who wait for it; it schedules the next one. */
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

  /** Adds all records from a cursor on; gives the cursor of the next poll. */
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
      // At a random time, so that processes don't all read at once.
      this.#reloadIn(RELOAD_INTERVAL * (0.9 + 0.2 * Math.random()));
      // Polls continue meanwhile: reading the whole log takes long, and the list must stay fresh.
      this.#follow(undefined)
        .then(() => this.#sweepLog())
        .catch((error: unknown) => this.#tell(error));
    });
  }

  /** Removes records past their end from a log with `sweep`. */
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

  /** Calls the observer; its own errors are ignored. */
  #tell(error: unknown): void {
    try {
      this.#onError(error);
    } catch {
      // An observer's error must not stop the polling.
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
