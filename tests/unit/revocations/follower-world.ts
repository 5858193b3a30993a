// A log and a clock in the test's hands: time passes when it is told to, and the log answers, waits
// or fails as it is told to.
import {
  type AppendedRevocation,
  type RevocationEntry,
  type RevocationLog,
  type RevocationPage,
  type RevocationRecord,
  type SessionLimits,
  toRecord,
} from "kocha-session/contract";
import { readOptions } from "../../../src/base/options.ts";
import {
  followReaders,
  type FollowOptions,
  RevocationFollower,
} from "../../../src/revocations/follower.ts";
import type { FollowerClock } from "../../../src/revocations/moment.ts";

/** Time that passes by `advance`; the two clocks can be torn apart. */
class FakeTime implements FollowerClock {
  #wall = Date.UTC(2026, 0, 1);
  #monotonic = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];
  readonly now = (): number => this.#wall;
  readonly elapsed = (): number => this.#monotonic;
  readonly schedule = (ms: number, run: () => void): (() => void) => {
    const timer = { at: this.#monotonic + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** What a request set ends with it, as on Workers: no timer of now will run. */
  loseTimers(): void {
    this.#timers = [];
  }

  /** Lets time pass, a timer after the other. */
  async advance(seconds: number): Promise<void> {
    const end = this.#monotonic + seconds * 1000;
    for (;;) {
      const [next] = this.#timers.toSorted((one, other) => one.at - other.at);
      if (next === undefined || next.at > end) break;
      this.#move(Math.max(next.at, this.#monotonic));
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.run();
      await settle();
    }
    this.#move(end);
    await settle();
  }

  /** The process stands still: no timer runs, both clocks go on. */
  pause(seconds: number): void {
    this.#move(this.#monotonic + seconds * 1000);
  }

  /** The machine sleeps: its monotonic clock stands still. */
  sleep(seconds: number): void {
    this.#wall += seconds * 1000;
  }

  /** Somebody sets the machine's clock. */
  setBack(seconds: number): void {
    this.#wall -= seconds * 1000;
  }

  #move(monotonic: number): void {
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

/** Lets everything that is ready happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A log in memory with an exact cursor, for several followers at once. */
class FakeLog implements RevocationLog {
  readonly #clock: FakeTime;
  #visible: RevocationRecord[] = [];
  #pending: { readonly record: RevocationRecord; readonly place: number }[] = [];
  /** By credential, the first entry's. */
  readonly #nonces = new Map<string, string | undefined>();
  #places = 0;
  /** What the log does instead of answering. */
  fault: "fail" | "hang" | undefined;
  /** Whether an append stays invisible until `reveal`, as a transaction that isn't committed. */
  late = false;
  pageSize = 1000;
  /** How far the log's clock is ahead of the machine's, in milliseconds. */
  ahead = 0;
  /** What each sweep is to remove. */
  swept: number[] = [];
  readonly sweeps: number[] = [];
  readonly cursors: (string | undefined)[] = [];
  readonly hung: (() => void)[] = [];

  constructor(clock: FakeTime) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.now() + this.ahead;
  }

  async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    await this.#trouble();
    const { kind, id, nonce } = entry;
    const known = this.#visible.findLast((one) => one.kind === kind && one.id === id);
    const record = toRecord(entry, this.now, known);
    const first = this.#nonces.get(id) ?? nonce;
    if (kind === "credential") this.#nonces.set(id, first);
    const place = this.#places++;
    if (this.late) this.#pending.push({ record, place });
    else this.#visible.push(record);
    return { record, isFirst: kind !== "credential" || first === nonce };
  }

  /** The late ones become visible, before those that came after them. */
  reveal(): void {
    for (const { record } of this.#pending.splice(0)) this.#visible.unshift(record);
  }

  /** A restore: nothing is there that was there before. */
  forget(): void {
    this.#visible = [];
  }

  async read(cursor: string | undefined): Promise<RevocationPage> {
    this.cursors.push(cursor);
    await this.#trouble();
    const start = Number(cursor ?? 0);
    const records = this.#visible.slice(start, start + this.pageSize);
    const next = start + records.length;
    const more = next < this.#visible.length;
    return { records, cursor: String(next), more, now: this.now };
  }

  async sweep(limit: number): Promise<number> {
    this.sweeps.push(limit);
    return this.swept.shift() ?? 0;
  }

  async #trouble(): Promise<void> {
    if (this.fault === "fail") throw new Error("the log is down");
    if (this.fault === "hang") await new Promise<void>((resolve) => this.hung.push(resolve));
  }
}

const usual: SessionLimits = { idle: 3_600_000, absolute: 86_400_000, timeout: 1000 };

/** A follower with a clock and a log of the test's own. */
export function makeWorld(options: FollowOptions = {}) {
  const time = new FakeTime();
  const log = new FakeLog(time);
  const errors: unknown[] = [];
  const follow = (more: FollowOptions = {}, limits: SessionLimits = usual): RevocationFollower => {
    const onError = (error: unknown): void => void errors.push(error);
    const settings = readOptions("the log", { onError, ...options, ...more }, followReaders());
    const follower = new RevocationFollower(log, settings, time);
    follower.cover(limits);
    return follower;
  };
  return { time, log, errors, follow };
}
