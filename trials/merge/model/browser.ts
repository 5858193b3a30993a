// The browser of the model check, over virtual time: it sends its cookies and takes those of responses in
// any order; every view of a request is compared with the log.
import { LATE } from "../../../src/merge/join.ts";
import { isOpened, type OpenedSession, type SealedChange } from "../../../src/store/contract.ts";
import {
  beforeFloor,
  epochOf,
  type Expected,
  expectSession,
  faultBeyondMarks,
  faultOf,
  keptBeyondMarks,
  type LoggedCookie,
  type LoggedWrite,
} from "./oracle.ts";
import type { Excuse, Outcome } from "./outcome.ts";
import { type Family, KEYS, type Schedule, type Visit } from "./schedule.ts";
import {
  contentOf,
  isBarrier,
  makeChange,
  openCookies,
  openSession,
  partOf,
  writeSession,
} from "./servers.ts";

const BEGIN = Date.UTC(2026, 5, 1);
const SECOND = 1000;
const QUIET_WRITES = 3;
const SEPARATORS = 3;
/** All bits: missing writes can't be judged any more. */
const ALL = -1n;

interface Response {
  readonly set: readonly (LoggedCookie & { readonly maxAge: number | undefined })[];
  readonly expire: readonly string[];
  /** True if it deletes writes that no other part holds: its deletions by themselves lose something. */
  readonly takesAll: boolean;
}

/** Runs a schedule of a family. */
export function runSchedule(schedule: Schedule, family: Family): Outcome {
  const browser = new Browser(schedule, family);
  browser.run();
  return browser;
}

class Browser implements Outcome {
  readonly faults: string[] = [];
  readonly excused: Excuse[] = [];
  mostCookies = 0;
  mostBytes = 0;
  collapses = 0;
  readonly #schedule: Schedule;
  readonly #family: Family;
  readonly #jar = new Map<string, { readonly cookie: LoggedCookie; readonly ends: number }>();
  readonly #log: LoggedWrite[] = [];
  #queue: { readonly at: number; readonly run: () => void }[] = [];
  /** Every cookie ever sent, by value: a client may have kept it. */
  readonly #sent = new Map<string, LoggedCookie>();
  /** By epoch, the writes whose parts arrived. */
  readonly #arrived = new Map<string, bigint>();
  /** Epochs that another one has ended: their parts are swept. */
  readonly #ended = new Set<string>();
  /** The writes lost by torn responses or evictions, in bits. */
  #gone = 0n;
  readonly #loggedOut = new Set<string>();
  #isTombstoneGone = false;

  constructor(schedule: Schedule, family: Family) {
    this.#schedule = schedule;
    this.#family = family;
  }

  run(): void {
    const { visits, evictions, subsets } = this.#schedule;
    for (const visit of visits) this.#plan(visit.at, () => this.#visit(visit));
    for (const { at, pick } of evictions) this.#plan(at, () => this.#evict(pick));
    let end = 0;
    while (this.#queue.length > 0 && this.faults.length === 0) {
      const [first, ...rest] = this.#queue.toSorted((one, other) => one.at - other.at);
      this.#queue = rest;
      end = first?.at ?? end;
      first?.run();
    }
    // At once, past the marks, and just before and after each session's end.
    for (const bits of subsets) this.#lookAtSubset(bits, end);
    for (const later of [0, LATE + SECOND]) this.#look(end + later);
    this.#settle(end + LATE + 2 * SECOND);
    const ends = [...this.#sent.values()].flatMap(({ content }) => {
      const at = (partOf(content)?.session.idleExpires ?? 0) - BEGIN;
      return [at - SECOND, at + SECOND].filter((look) => look > end);
    });
    for (const at of ends.toSorted((one, other) => one - other)) this.#look(at);
  }

  #plan(at: number, run: () => void): void {
    this.#queue.push({ at, run });
  }

  #clock(at: number, server: number): number {
    return BEGIN + at + (this.#schedule.skews[server] ?? 0);
  }

  /** The cookies that the browser sends. */
  #cookies(at: number): LoggedCookie[] {
    for (const [name, { ends }] of this.#jar) if (ends <= at) this.#jar.delete(name);
    const cookies = Array.from(this.#jar.values(), ({ cookie }) => cookie);
    const bytes = cookies.map(({ name, value }) => name.length + value.length + SEPARATORS);
    this.mostCookies = Math.max(this.mostCookies, cookies.length);
    this.mostBytes = Math.max(
      this.mostBytes,
      bytes.reduce((sum, one) => sum + one, 0),
    );
    return cookies;
  }

  /** A request takes its cookies now, and commits and arrives later. */
  #visit(visit: Visit): void {
    const cookies = this.#cookies(visit.at);
    const commitsAt = visit.at + visit.takes;
    this.#plan(commitsAt, () => {
      const response = this.#answer(visit, cookies, commitsAt);
      if (response === undefined || visit.fate === "lost") return;
      const arrivesAt = commitsAt + visit.travels;
      this.#plan(arrivesAt, () => this.#arrive(response, visit, arrivesAt));
    });
  }

  #answer(visit: Visit, cookies: readonly LoggedCookie[], at: number): Response | undefined {
    const now = this.#clock(at, visit.server);
    const found = openCookies(cookies, now);
    const opened = isOpened(found) ? found : undefined;
    const expected = this.#compare(cookies, opened, now);
    const change = makeChange(visit, opened, this.#log.length, this.#schedule);
    if (change === undefined || this.faults.length > 0) return undefined;
    const { set, expire, collapsed } = writeSession(found, change, now);
    const holds = change.op === "destroy" ? 0n : this.#record(set, change, opened, expected);
    const sent = set.map(({ name, value, maxAge }) => {
      const content = contentOf({ name, value });
      // Renewals of the same cookies are the same cookie, with the same writes.
      const known = this.#sent.get(value)?.holds ?? 0n;
      const cookie = { name, value, content, holds: partOf(content) ? holds | known : 0n };
      this.#sent.set(value, cookie);
      return { ...cookie, maxAge };
    });
    if (collapsed !== undefined) this.collapses++;
    if (change.op === "destroy") this.#checkTombstone(sent, cookies);
    const takesAll = change.op === "destroy" || isBarrier(change) || collapsed !== undefined;
    return { set: sent, expire, takesAll };
  }

  /** Records a change in the log; gives the writes that its part holds. */
  #record(
    set: readonly { readonly name: string; readonly value: string }[],
    change: SealedChange,
    opened: OpenedSession | undefined,
    expected: Expected | undefined,
  ): bigint {
    const [first] = set;
    const part = first && partOf(contentOf(first));
    if (part === undefined) throw new Error("a change has no part");
    const begins = expected === undefined || isBarrier(change);
    if (begins === (epochOf(part) === expected?.epoch))
      this.faults.push("no epoch began, or one did");
    const effects = new Map<string, string | undefined>();
    // A new epoch determines every key, even absent ones.
    if (begins) {
      const kept = change.clear === true ? undefined : opened?.data;
      for (const key of KEYS) effects.set(key, kept?.get(key));
    }
    for (const key of change.del) effects.set(key, undefined);
    for (const [key, value] of change.set) effects.set(key, value);
    const seen = begins ? 0n : this.#heldBy(expected);
    if (effects.size === 0) return seen;
    const bit = 1n << BigInt(this.#log.length);
    const stamp = Math.max(0, ...Array.from(part.entries.values(), (entry) => entry.stamp));
    this.#log.push({ bit, effects, seen, stamp });
    return seen | bit;
  }

  /** The writes that a part will hold besides its own. */
  #heldBy(expected: Expected): bigint {
    const { isPrompt } = this.#family;
    return isPrompt ? expected.holds : keptBeyondMarks(expected, this.#log);
  }

  #checkTombstone(sent: readonly LoggedCookie[], cookies: readonly LoggedCookie[]): void {
    const dead = sent.flatMap(({ content }) => ("dead" in content ? [...content.dead.keys()] : []));
    for (const { content } of cookies) {
      const id = partOf(content)?.session.id;
      if (id !== undefined && !dead.includes(id)) this.faults.push("a tombstone leaves one out");
    }
  }

  #arrive({ set, expire, takesAll }: Response, { fate, cut }: Visit, at: number): void {
    const isCut = fate === "torn: cut off";
    const landed = fate === "torn: deletions alone" ? [] : isCut ? set.slice(0, cut) : set;
    const removed = isCut ? expire.slice(0, Math.max(0, cut - set.length)) : expire;
    for (const { maxAge = Infinity, ...cookie } of landed) {
      this.#jar.set(cookie.name, { cookie, ends: at + maxAge * SECOND });
      const part = partOf(cookie.content);
      if (part !== undefined) {
        const epoch = epochOf(part);
        this.#arrived.set(epoch, (this.#arrived.get(epoch) ?? 0n) | cookie.holds);
      }
      const { content } = cookie;
      if (!("dead" in content)) continue;
      for (const [id, rev] of content.dead) if (rev === Infinity) this.#loggedOut.add(id);
    }
    const [first] = set;
    const winner = first && partOf(first.content);
    for (const name of removed) {
      const kept = this.#jar.get(name);
      if (kept !== undefined && takesAll && landed.length === 0) this.#lose(kept.cookie);
      const part = kept && partOf(kept.cookie.content);
      if (part !== undefined && (winner === undefined || epochOf(part) !== epochOf(winner))) {
        this.#ended.add(epochOf(part));
      }
      this.#jar.delete(name);
    }
  }

  #lose({ content, holds }: LoggedCookie): void {
    this.#gone |= holds;
    if (partOf(content) === undefined) this.#isTombstoneGone = true;
  }

  #evict(pick: number): void {
    const names = [...this.#jar.keys()];
    const name = names[pick % names.length] ?? "";
    const kept = this.#jar.get(name);
    if (kept === undefined) return;
    this.#lose(kept.cookie);
    // A client could have sent the remaining cookies (C7): nothing counts as missing from now on.
    this.#gone = ALL;
    this.#jar.delete(name);
  }

  /** The view of a request at this time. */
  #look(at: number): void {
    const cookies = this.#cookies(at);
    const now = this.#clock(at, 0);
    const expected = this.#compare(cookies, openSession(cookies, now), now);
    if (expected === undefined || this.#ended.has(expected.epoch)) return;
    // C2.
    const { isPrompt } = this.#family;
    const excused = isPrompt ? this.#gone : this.#gone | beforeFloor(expected, this.#log);
    const missing = (this.#arrived.get(expected.epoch) ?? 0n) & ~expected.holds & ~excused;
    if (missing !== 0n) this.faults.push("a write that arrived is in no part");
  }

  /** The view that a client may cause by any choice of all cookies ever sent. */
  #lookAtSubset(bits: number, at: number): void {
    const cookies = [...this.#sent.values()].filter(
      (_, index) => ((bits >>> (index % 31)) & 1) === 1,
    );
    const now = this.#clock(at, 0);
    this.#compareStates(cookies, openSession(cookies, now), now, !this.#family.isLong);
  }

  /** The browser's own cookies: they agree with the log, and a logout holds. */
  #compare(
    cookies: readonly LoggedCookie[],
    opened: OpenedSession | undefined,
    now: number,
  ): Expected | undefined {
    const { isPrompt, isLong } = this.#family;
    const isStrict = isPrompt && (this.#gone === 0n || !isLong);
    const expected = this.#compareStates(cookies, opened, now, isStrict);
    if (opened !== undefined && this.#isBack(opened.id, cookies)) {
      if (isPrompt) this.faults.push("a session is back after its logout");
      else this.excused.push("a logout");
    }
    return expected;
  }

  /** C5, except for requests that took their cookies before the tombstone came. */
  #isBack(id: string, cookies: readonly LoggedCookie[]): boolean {
    if (!this.#loggedOut.has(id) || this.#isTombstoneGone) return false;
    return cookies.every(({ name }) => this.#jar.has(name)) && cookies.length === this.#jar.size;
  }

  #compareStates(
    cookies: readonly LoggedCookie[],
    opened: OpenedSession | undefined,
    now: number,
    isStrict: boolean,
  ): Expected | undefined {
    const expected = expectSession(cookies, now);
    if (opened?.id !== expected?.id || opened?.rev !== expected?.rev) {
      this.faults.push("another session or epoch counts");
      return undefined;
    }
    if (opened === undefined || expected === undefined) return undefined;
    for (const key of [...KEYS, ...opened.data.keys()]) {
      const value = opened.data.get(key);
      const fault = faultOf(key, value, expected.holds, this.#log);
      if (fault === undefined) continue;
      const beyond = isStrict ? fault : faultBeyondMarks(key, value, expected, this.#log);
      if (beyond === undefined) this.excused.push("a write or a deletion");
      else this.faults.push(beyond);
    }
    return expected;
  }

  /** C3: after a few quiet writes of a session two parts are left. */
  #settle(end: number): void {
    if (openSession(this.#cookies(end), this.#clock(end, 0)) === undefined) return;
    let at = end;
    for (let round = 0; round < QUIET_WRITES && this.faults.length === 0; round++) {
      const quiet = { takes: 0, travels: 0, server: 0, fate: "arrives", cut: 0 } as const;
      const visit: Visit = { at, ...quiet, step: "set", key: round };
      const response = this.#answer(visit, this.#cookies(at), at);
      if (response !== undefined) this.#arrive(response, visit, at);
      at += SECOND;
    }
    const parts = this.#cookies(at).filter(({ content }) => partOf(content) !== undefined);
    if (parts.length > 2) this.faults.push(`${parts.length} parts are left after quiet writes`);
  }
}
