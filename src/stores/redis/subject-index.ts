// The sessions of each subject: a sorted set, scored by the sessions' ends. Only its commands are here;
// the order of claim, commit and release stands in stores/redis/lua.ts.
import type { RedisConnection, ReplicationWait } from "./connection.ts";
import { claimScript, membersScript, SETTLED_MS } from "./lua.ts";
import { textOf, textOfMs } from "./row.ts";
import { mustBeReplicated, RedisScript } from "./script.ts";

const claiming = new RedisScript(claimScript);
const listing = new RedisScript(membersScript);
/** Members that one ZREM takes. */
const RELEASE_BATCH = 1000;

/** A member of an index: a session, and the claim by which it is one. */
export interface IndexMember {
  readonly id: string;
  /** The server's time in µs. */
  readonly claim: string;
  /** True when it is too old to get a session any more: it has one already, or is stale. */
  readonly settled: boolean;
}

/** How long a claim holds. */
export interface ClaimEnd {
  /** Unix milliseconds; "now": the server's. */
  readonly base: number | "now";
  /** Milliseconds beyond the base. */
  readonly add: number;
  /** Unix milliseconds. */
  readonly deadline: number;
}

/** A place in an index. */
export interface Claim {
  readonly claim: string;
  /** "claim bound subject", which the session's hash takes. */
  readonly binding: string;
}

/** The indexes of all subjects under a prefix. */
export class SubjectIndex {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #wait: ReplicationWait | undefined;

  constructor(connection: RedisConnection, prefix: string, wait: ReplicationWait | undefined) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#wait = wait;
  }

  /** @throws {StoreError} ERR_SESSION_STORE_UNREPLICATED, or an error of the client. */
  async claim(subject: string, id: string, end: ClaimEnd): Promise<Claim> {
    const base = end.base === "now" ? "now" : textOfMs(end.base);
    const { reply, replicas } = await claiming.run(this.#connection, {
      key: this.#prefix + subject,
      args: [id, `${base} ${textOfMs(end.add)} ${textOfMs(end.deadline)}`],
      wait: this.#wait,
    });
    mustBeReplicated(replicas, this.#wait, "save");
    const [claim = "", bound = ""] = (reply as unknown[]).map(textOf);
    return { claim, binding: `${claim} ${bound} ${subject}` };
  }

  /** Removes members. Nobody waits for it: a member that stays is later recognized as stale. */
  release(subject: string, members: readonly { id: string; claim: string }[]): void {
    const key = this.#prefix + subject;
    for (let start = 0; start < members.length; start += RELEASE_BATCH) {
      const batch = members.slice(start, start + RELEASE_BATCH);
      const names = batch.map(({ id, claim }) => `${id}:${claim}`);
      this.#connection.send(key, ["zrem", key, ...names]).catch(() => undefined);
    }
  }

  /** All members at one moment; a session that is claimed again meanwhile is among them. */
  async members(subject: string): Promise<IndexMember[]> {
    const call = { key: this.#prefix + subject, args: [] };
    const { reply } = await listing.run(this.#connection, call);
    const [now, members] = reply as [unknown, unknown[]];
    const settledBefore = Number(textOf(now)) - SETTLED_MS * 1000;
    return members.map((member) => {
      const text = textOf(member);
      const colon = text.lastIndexOf(":");
      const claim = text.slice(colon + 1);
      return { id: text.slice(0, colon), claim, settled: Number(claim) < settledBefore };
    });
  }
}
