// Sessions in Redis or Valkey: one hash each, changed by one script on one key, so that every law
// holds on a single server, behind Sentinel and in a cluster. The scripts are in stores/redis/lua.ts,
// the clients in stores/redis/client.ts.
import { toSaved } from "../store/change.ts";
import { isAppliedOnce, mintNonce } from "../store/nonce.ts";
import type {
  ListedSession,
  SavedSession,
  SessionChange,
  SessionStore,
  StoredSession,
} from "../store/contract.ts";
import { readOptions, text } from "../base/options.ts";
import { StoreError, type StoreOperation } from "../errors.ts";
import { connectionOf, type RedisClient } from "./redis/client.ts";
import { isReplyError, type RedisConnection, type ReplicationWait } from "./redis/connection.ts";
import { CommitClaims } from "./redis/claims.ts";
import { durabilityReaders, type RedisDurability, waitOf } from "./redis/durability.ts";
import { type IndexMember, SubjectIndex } from "./redis/subject-index.ts";
import { APPLIED, commitScript, UNCLAIMED } from "./redis/lua.ts";
import {
  encodeCommit,
  encodeDestroy,
  instantOf,
  readBinding,
  readRow,
  type RedisRow,
  textOf,
} from "./redis/row.ts";
import { mustBeReplicated, RedisScript } from "./redis/script.ts";

/** The client, its keys' prefix, and the replication that a commit waits for. */
export interface SessionRedisStoreOptions extends RedisDurability {
  /**
   * A connected client of node-redis, ioredis or iovalkey: single server, Sentinel or cluster; or a
   * `Redis` of Upstash's package, made with `automaticDeserialization: false` and `responseEncoding: false`.
   */
  readonly client: RedisClient;
  /** Begins the name of every key. Default "kocha:". */
  readonly prefix?: string | undefined;
}

export type { RedisClient, RedisDurability };
export { redisRevocations, type RedisRevocationsOptions } from "./redis/revocations.ts";

/** Rows that `list` and `destroyAll` ask for at once; over HTTP one request, of less than 1 MB with scripts. */
const BATCH = 100;

const committing = new RedisScript(commitScript);

/** The commit script's answer. */
interface CommitAnswer {
  readonly outcome: number;
  readonly values: readonly string[];
}

/** Keeps sessions in Redis 7 or Valkey 8, on one server or many. */
export class SessionRedisStore implements SessionStore {
  readonly capabilities = { atomic: true, expects: true, durable: true, lists: true } as const;
  readonly #connection: RedisConnection;
  readonly #rowPrefix: string;
  readonly #index: SubjectIndex;
  readonly #wait: ReplicationWait | undefined;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionRedisStoreOptions) {
    const read = readOptions("SessionRedisStore", options, {
      client: connectionOf,
      prefix: text("kocha:"),
      ...durabilityReaders(),
    });
    const { prefix } = read;
    this.#wait = waitOf(read, read.client);
    this.#connection = read.client;
    this.#rowPrefix = `${prefix}s:`;
    this.#index = new SubjectIndex(this.#connection, `${prefix}u:`, this.#wait);
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    return (await this.#read(selector))?.stored;
  }

  /**
   * One script; with a subject also one or two commands before it, and one after it without a wait.
   * @throws {StoreError} ERR_SESSION_STORE_UNREPLICATED when the change was applied, but too few
   * replicas have it; else the client's own error.
   */
  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const claims = new CommitClaims(this.#index, selector, change);
    if (change.op === "destroy") {
      const { values } = await this.#commit(selector, encodeDestroy(this.#writes), "save");
      claims.settle(true, values[3] ?? "");
      return toSaved(undefined);
    }
    const nonce = isAppliedOnce(change) ? mintNonce() : "-";
    await claims.claimFirst();
    const attempt = async (): Promise<CommitAnswer> => {
      const extras = { nonce, binding: claims.binding, writes: this.#writes };
      const answer = await this.#commit(selector, encodeCommit(change, extras), "save");
      if (answer.outcome !== UNCLAIMED) return answer;
      if (claims.exhausted) {
        const message = "the subject's index could not be claimed: are the servers' clocks right?";
        throw new StoreError("ERR_SESSION_STORE_FAILED", "save", message);
      }
      const [expires, subject = ""] = answer.values;
      await claims.claimAgain(subject, instantOf(expires));
      return attempt();
    };
    const { outcome, values } = await attempt();
    const isApplied = outcome === APPLIED;
    const [rev, generation, expires, gone = ""] = values;
    claims.settle(isApplied, gone);
    if (!isApplied) return undefined;
    return {
      rev: Number(rev),
      generation: Number(generation),
      expires: instantOf(expires),
    };
  }

  /** The live sessions of a subject; it also removes stale members from the index. */
  async *list(subject: string): AsyncGenerator<ListedSession> {
    const members = await orFail("list", this.#index.members(subject));
    const ids = [...new Set(members.map(({ id }) => id))];
    for (let start = 0; start < ids.length; start += BATCH) {
      const batch = ids.slice(start, start + BATCH);
      const together = this.#connection.batch();
      // oxlint-disable-next-line no-await-in-loop -- a batch at a time, or 10,000 rows lie in memory
      const rows = await orFail("list", Promise.all(batch.map((id) => this.#read(id, together))));
      const claimOf = new Map<string, string>();
      for (const [index, id] of batch.entries()) {
        const row = rows[index];
        if (row?.binding?.subject !== subject) continue;
        claimOf.set(id, row.binding.claim);
        yield { id, stored: row.stored };
      }
      const isStale = ({ id, claim, settled }: IndexMember): boolean =>
        settled && batch.includes(id) && claimOf.get(id) !== claim;
      this.#index.release(subject, members.filter(isStale));
    }
  }

  /**
   * Ends the sessions of a subject, except the one with the id `except`; gives their number.
   * @throws {StoreError} when some could not be reached; the others are ended.
   */
  async destroyAll(subject: string, options: { except?: string } = {}): Promise<number> {
    const members = await orFail("destroyAll", this.#index.members(subject));
    const ids = [...new Set(members.map(({ id }) => id))].filter((id) => id !== options.except);
    let count = 0;
    let failure: unknown;
    const args = encodeDestroy(this.#writes, subject);
    for (let start = 0; start < ids.length; start += BATCH) {
      const batch = ids.slice(start, start + BATCH);
      const together = this.#connection.batch();
      // oxlint-disable-next-line no-await-in-loop -- a batch at a time, or others would wait long
      const answers = await Promise.allSettled(
        batch.map((id) => this.#commit(id, args, "destroyAll", together)),
      );
      // Those that answered; a session of another subject, and none at all, aren't ended.
      const endedOf = new Map<string, boolean>();
      const gone: { id: string; claim: string }[] = [];
      for (const [index, answer] of answers.entries()) {
        const id = batch[index] ?? "";
        if (answer.status === "rejected") {
          failure ??= answer.reason;
          continue;
        }
        const { outcome, values } = answer.value;
        endedOf.set(id, outcome === APPLIED);
        if (outcome !== APPLIED) continue;
        count++;
        const binding = readBinding(values[3] ?? "");
        if (binding !== undefined) gone.push({ id, claim: binding.claim });
      }
      const isGone = ({ id, settled }: IndexMember): boolean =>
        endedOf.get(id) === true || (settled && endedOf.has(id));
      // ORDER: with each batch. Over HTTP a platform may stop a request after so many calls, and the next one gets on.
      this.#index.release(subject, [...members.filter(isGone), ...gone]);
    }
    if (failure !== undefined) throw failed("destroyAll", failure);
    return count;
  }

  get #writes(): boolean {
    return this.#wait !== undefined;
  }

  async #read(id: string, connection = this.#connection): Promise<RedisRow | undefined> {
    const key = this.#rowPrefix + id;
    try {
      return readRow(await connection.send(key, ["hgetall", key]));
    } catch (error) {
      // Somebody else's key under our name is no session, and no outage.
      if (isReplyError(error, "WRONGTYPE")) return undefined;
      throw error;
    }
  }

  async #commit(
    id: string,
    args: readonly string[],
    operation: StoreOperation,
    connection = this.#connection,
  ): Promise<CommitAnswer> {
    const call = { key: this.#rowPrefix + id, args, wait: this.#wait };
    const { reply, replicas } = await committing.run(connection, call);
    const [outcome, ...values] = (reply as unknown[]).map(textOf);
    // A refused change wrote nothing, so there is nothing to replicate.
    if (Number(outcome) === APPLIED) mustBeReplicated(replicas, this.#wait, operation);
    return { outcome: Number(outcome), values };
  }
}

/** Wraps an error as a StoreError, as the engine does for `load` and `save`. */
async function orFail<T>(operation: StoreOperation, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw failed(operation, cause);
  }
}

function failed(operation: StoreOperation, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const message = `the Redis store failed to ${operation}; its client's own error is the cause`;
  return new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
}
