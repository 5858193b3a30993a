// Revocations that follow a log: each process holds the whole list in memory and asks the log for new
// entries once in a poll interval. It knows the age of its list, and gives no answer from one too old.
import { StoreError } from "../errors.ts";
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
import { LogCalls } from "./log-calls.ts";
import { type FollowerClock, type Moment, momentOf, msSince, systemClock } from "./moment.ts";
import { type Poll, Polls } from "./polls.ts";
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
  /** The end of the time until the next reading of the whole log; undefined: none is planned. */
  #reload: { readonly from: Moment; readonly ms: number } | undefined;
  readonly #calls: LogCalls;
  readonly #polls: Polls;
  #isClosed = false;
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
    const timeoutMs = (): number => this.#coveredTimeoutMs || DEFAULT_TIMEOUT;
    const read = (poll: Poll): Promise<void> => this.#read(poll);
    this.#calls = new LogCalls(clock, timeoutMs);
    this.#polls = new Polls({ clock, pollMs: this.#pollMs, timeoutMs, read });
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
    const isOld = !this.#isWithin(this.#maxStalenessMs / 2);
    return isOld || this.#polls.isOverdue ? this.#catchUp() : undefined;
  }

  /** Stops the polling; later requests read the log themselves when the list is too old. */
  close(): void {
    this.#isClosed = true;
    this.#polls.close();
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
      return await this.#calls.ask("revoke", () => this.#log.append(entry));
    } catch (cause) {
      if (cause instanceof StoreError) throw cause;
      const message = "the log of revocations failed to take an entry; its own error is the cause";
      throw new StoreError("ERR_SESSION_STORE_FAILED", "revoke", message, { cause });
    }
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
      msSince(this.#failure.at, this.#clock) <
        this.#pollMs + (this.#coveredTimeoutMs || DEFAULT_TIMEOUT);
    if (!isDown) {
      try {
        await this.#polls.join();
        // That poll may have begun before this process was paused.
        if (!this.#isFresh) await this.#polls.join();
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

  async #read(poll: Poll): Promise<void> {
    const isWhole = this.#isReloadOverdue;
    let cursor: string;
    try {
      cursor = await this.#follow(isWhole ? undefined : this.#cursor, poll);
    } catch (error) {
      if (this.#polls.isCurrent(poll)) this.#failed(error);
      throw error;
    }
    if (!this.#polls.isCurrent(poll)) return;
    this.#cursor = cursor;
    if (isWhole || this.#asOf === undefined) this.#reloadIn(RELOAD_INTERVAL);
    this.#asOf = poll.began;
    this.#failure = undefined;
    this.dead.sweep(this.now, SWEEP_STEPS);
  }

  #failed(error: unknown): void {
    if (this.#failure === undefined) this.#reloadIn(RELOAD_AFTER_FAILURE * Math.random());
    this.#failure = { at: momentOf(this.#clock), error };
    this.#tell(error);
  }

  /** Adds all records from a cursor on; gives the cursor of the next poll. */
  async #follow(cursor: string | undefined, poll?: Poll): Promise<string> {
    const page: RevocationPage = await this.#calls.ask("load", () => this.#log.read(cursor));
    this.#logTime = { now: page.now, elapsed: this.#clock.elapsed() };
    if (poll !== undefined) poll.moved = momentOf(this.#clock);
    for (const record of page.records) this.dead.add(record, page.now);
    return page.more ? this.#follow(page.cursor, poll) : page.cursor;
  }

  #reloadIn(ms: number): void {
    this.#cancelReload();
    this.#reload = { from: momentOf(this.#clock), ms };
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

  /** True on Workers, where the timer of the reading belonged to a request that has ended. */
  get #isReloadOverdue(): boolean {
    const { from, ms } = this.#reload ?? {};
    return (
      from !== undefined && ms !== undefined && msSince(from, this.#clock) > ms + 2 * this.#pollMs
    );
  }

  /** Removes records past their end from a log with `sweep`. */
  async #sweepLog(): Promise<void> {
    const log = this.#log;
    if (log.sweep === undefined) return;
    const gone = await this.#calls.ask("sweep", async () => log.sweep?.(LOG_SWEEP) ?? 0);
    if (gone >= LOG_SWEEP) await this.#sweepLog();
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
