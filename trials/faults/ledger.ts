// What the users of a fault run remember: what they were told is saved, ended or replaced, so that
// afterwards it can be held against what is there. One user has one session and does one thing at a
// time; whatever was not answered may or may not have been done, and is held against nobody.
import type { Apps, Reply } from "./apps.ts";

/** How a user uses a session: one writes all the time, the others end or rotate it now and then. */
export type Habit = "writer" | "rotator" | "leaver";

/** One request's answer, as a user remembers it. */
export interface Sight {
  /** Milliseconds, of one clock. */
  readonly atMs: number;
  readonly kind: "done" | "refused" | "gone" | "anonymous" | "503" | "none" | "other";
}

/** What an audit found. */
export interface Audit {
  /** Writes that were acknowledged and are not there. */
  lostWrites: number;
  acknowledgedWrites: number;
  /** Sessions that were there and are not: their writes count as lost too. */
  lostSessions: number;
  sessions: number;
  /** Sessions that can be used again after their logout was acknowledged. */
  resurrected: number;
  acknowledgedLogouts: number;
  /** Credentials of before an acknowledged regenerate that read the session again. */
  oldCredentials: number;
  acknowledgedRotations: number;
  /** Sessions that hold one half of a save. */
  torn: number;
  /** Sessions that a user was told are gone, and that are there all the same: law L9. */
  falseLogouts: number;
  /** Cookies that were deleted or replaced where nobody had asked for it: law L9. */
  cookiesTouched: number;
}

/** A pause of a user between two requests, in milliseconds. */
const THINKING = 10;
/** After an answer that was none, in milliseconds. */
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

/** One user, with all that it was told. */
export class User {
  readonly habit: Habit;
  readonly sights: Sight[] = [];
  readonly #name: string;
  readonly #apps: Apps;
  readonly #audit = noAudit();
  /** Cookies of sessions whose logout was acknowledged, and of before an acknowledged regenerate. */
  readonly #ended: string[] = [];
  readonly #outdated: string[] = [];
  /** Cookies of sessions that this user was told are gone, though nobody had ended them. */
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

  /** Holds what is there against what was told; the application must be well again. */
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
    // It may have been done, whatever came back.
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
      // It may have been done, and the new credential is lost with the answer: then the session is
      // in the grace of law L4 for this user, and nothing can be told of it any more.
      this.#forget();
    }
    return answer !== undefined;
  }

  async #ask(path: string): Promise<Reply> {
    const reply = await this.#apps.send(path, this.#cookie);
    this.sights.push({ atMs: this.#now(), kind: kindOf(reply) });
    return reply;
  }

  /** The audit's requests come after the faults: one that still fails is asked once more. */
  async #again(path: string, cookie: string): Promise<Reply> {
    const reply = await this.#apps.send(path, cookie);
    return reply.answer === undefined ? this.#apps.send(path, cookie) : reply;
  }

  /** The session that should be there isn't: what was told of it is lost. */
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

  /** Nothing in an append is a reason to touch the cookie. */
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
