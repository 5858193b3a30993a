// The memory of a fault run's users: everything acknowledged as saved, ended or replaced, to be compared
// with the store afterwards. Each user has one session and one request at a time; a request without an
// answer may or may not have been done, and isn't judged.
import type { Apps, Reply } from "./apps.ts";

/** A user's habit: a writer writes all the time, the others end or regenerate the session now and then. */
export type Habit = "writer" | "rotator" | "leaver";

/** One request's answer, as a user remembers it. */
export interface Sight {
  /** Milliseconds, of one clock. */
  readonly atMs: number;
  readonly kind: "done" | "refused" | "gone" | "anonymous" | "503" | "none" | "other";
}

/** The findings of an audit. */
export interface Audit {
  /** Acknowledged writes that are missing. */
  lostWrites: number;
  acknowledgedWrites: number;
  /** Lost sessions, whose writes count as lost, too. */
  lostSessions: number;
  sessions: number;
  /** Sessions that can be used again after their logout was acknowledged. */
  resurrected: number;
  acknowledgedLogouts: number;
  /** Credentials from before an acknowledged regenerate that read the session again. */
  oldCredentials: number;
  acknowledgedRotations: number;
  /** Sessions with half of a save. */
  torn: number;
  /** Sessions that were reported as gone, but are there: law L9. */
  falseLogouts: number;
  /** Cookies that were deleted or replaced without a reason: law L9. */
  cookiesTouched: number;
}

/** A user's pause between two requests, in milliseconds. */
const THINKING = 10;
/** The pause after a missing answer, in milliseconds. */
const PATIENCE = 50;
const ROTATE_AFTER = 5;
const LEAVE_AFTER = 4;

const noAudit = (): Audit => ({
  lostWrites: 0,
  acknowledgedWrites: 0,
  lostSessions: 0,
  sessions: 0,
  resurrected: 0,
  acknowledgedLogouts: 0,
  oldCredentials: 0,
  acknowledgedRotations: 0,
  torn: 0,
  falseLogouts: 0,
  cookiesTouched: 0,
});

/** One user, with its memory. */
export class User {
  readonly habit: Habit;
  readonly sights: Sight[] = [];
  readonly #name: string;
  readonly #apps: Apps;
  readonly #audit = noAudit();
  /** Cookies from before an acknowledged logout or regenerate. */
  readonly #ended: string[] = [];
  readonly #outdated: string[] = [];
  /** Cookies of sessions that were reported as gone, although nobody had ended them. */
  readonly #missed: string[] = [];
  readonly #now: () => number;
  #cookie = "";
  #acknowledged = new Set<string>();
  #steps = 0;
  #isStopped = false;

  constructor(name: string, habit: Habit, apps: Apps, now: () => number) {
    this.#name = name;
    this.habit = habit;
    this.#apps = apps;
    this.#now = now;
  }

  /** Uses the application until `stop`. */
  async live(): Promise<void> {
    while (!this.#isStopped) {
      const isDone = await this.#step();
      await new Promise((resolve) => setTimeout(resolve, isDone ? THINKING : PATIENCE));
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Compares the store with the memory; the application must be healthy again. */
  async audit(): Promise<Audit> {
    await this.#auditSession();
    for (const cookie of this.#ended) {
      const { answer } = await this.#again("/read", cookie);
      if (answer?.state === "done") this.#audit.resurrected++;
    }
    for (const cookie of this.#outdated) {
      const { answer } = await this.#again("/read", cookie);
      if (answer?.state === "done") this.#audit.oldCredentials++;
    }
    for (const cookie of this.#missed) {
      const { answer } = await this.#again("/read", cookie);
      if (answer?.state === "done") this.#audit.falseLogouts++;
    }
    return this.#audit;
  }

  async #step(): Promise<boolean> {
    if (this.#cookie === "") return this.#create();
    this.#steps++;
    if (this.habit === "leaver" && this.#steps % LEAVE_AFTER === 0) return this.#leave();
    if (this.habit === "rotator" && this.#steps % ROTATE_AFTER === 0) return this.#rotate();
    const key = `k${this.#steps}`;
    const reply = await this.#ask(`/append/${key}`);
    this.#lookForCookie(reply);
    if (reply.answer?.state === "done") {
      this.#audit.acknowledgedWrites++;
      this.#acknowledged.add(key);
    }
    if (reply.answer?.state === "gone") this.#giveUp();
    return reply.answer !== undefined;
  }

  async #create(): Promise<boolean> {
    const { answer, cookie } = await this.#ask(`/create/${this.#name}`);
    if (answer?.state !== "done" || cookie === undefined) return answer !== undefined;
    this.#cookie = cookie;
    this.#audit.sessions++;
    return true;
  }

  async #leave(): Promise<boolean> {
    const { answer } = await this.#ask("/logout");
    if (answer?.state === "gone") this.#giveUp();
    // It may have been done, whatever the answer.
    if (answer === undefined) this.#forget();
    if (answer?.state !== "done") return answer !== undefined;
    this.#audit.acknowledgedLogouts++;
    this.#ended.push(this.#cookie);
    this.#forget();
    return true;
  }

  async #rotate(): Promise<boolean> {
    const { answer, cookie } = await this.#ask("/rotate");
    if (answer?.state === "gone") this.#giveUp();
    if (answer?.state === "done" && cookie !== undefined) {
      this.#audit.acknowledgedRotations++;
      this.#outdated.push(this.#cookie);
      this.#cookie = cookie;
    } else if (answer === undefined) {
      // It may have been done, and the new credential was lost with the answer: then this user's credential
      // is in the grace of law L4, and the session can't be judged any more.
      this.#forget();
    }
    return answer !== undefined;
  }

  async #ask(path: string): Promise<Reply> {
    const reply = await this.#apps.send(path, this.#cookie);
    this.sights.push({ atMs: this.#now(), kind: kindOf(reply) });
    return reply;
  }

  /** The audit's requests come after the faults: one that still fails is sent once more. */
  async #again(path: string, cookie: string): Promise<Reply> {
    const reply = await this.#apps.send(path, cookie);
    return reply.answer === undefined ? this.#apps.send(path, cookie) : reply;
  }

  /** The session is missing: its acknowledged writes are lost. */
  #giveUp(): void {
    this.#audit.lostSessions++;
    this.#audit.lostWrites += this.#acknowledged.size;
    this.#missed.push(this.#cookie);
    this.#forget();
  }

  #forget(): void {
    this.#cookie = "";
    this.#acknowledged = new Set();
  }

  /** Counts a changed cookie: an append is no reason for one. */
  #lookForCookie({ cookie }: Reply): void {
    if (cookie !== undefined) this.#audit.cookiesTouched++;
  }

  async #auditSession(): Promise<void> {
    if (this.#cookie === "") return;
    const reply = await this.#again("/read", this.#cookie);
    this.#lookForCookie(reply);
    if (reply.answer === undefined) {
      throw new Error(`the application does not answer the audit: status ${reply.status}`);
    }
    if (reply.answer.state !== "done") {
      this.#giveUp();
      return;
    }
    const entries = new Map(reply.answer.entries);
    for (const key of this.#acknowledged) if (!entries.has(key)) this.#audit.lostWrites++;
    if (entries.get("p") !== entries.get("q")) this.#audit.torn++;
  }
}

/** The audits of all users in one. */
export function addUp(audits: readonly Audit[]): Audit {
  const sum = noAudit();
  const fields = Object.keys(sum) as (keyof Audit)[];
  for (const audit of audits) for (const field of fields) sum[field] += audit[field];
  return sum;
}

function kindOf({ status, answer }: Reply): Sight["kind"] {
  if (answer !== undefined) return answer.state;
  if (status === 503) return "503";
  return status === 0 ? "none" : "other";
}
