// Sessions in Durable Objects of Cloudflare: an object for each session, so that every change is one step in one
// place, and an object for each subject with the list of its sessions. The objects' side is in stores/durable.
import { option, readOptions, type Reader } from "../base/options.ts";
import { LimitError, StoreError } from "../errors.ts";
import { toSaved } from "../store/change.ts";
import type {
  ListedSession,
  SavedSession,
  SessionChange,
  SessionStore,
  StoreCapabilities,
  StoredSession,
} from "../store/contract.ts";
import { decodeRecord } from "../store/record.ts";
import { isSelector } from "../store/selector.ts";
import { DurableCaller } from "./durable/caller.ts";
import { type DurableNamespace, MAX_VALUE_BYTES, namespaceOf } from "./durable/platform.ts";
import {
  fromWire,
  type Member,
  ONE_VERSION,
  type SessionCalls,
  writeChange,
} from "./durable/protocol.ts";
import { CommitClaims, SubjectLists } from "./durable/subject-lists.ts";

export type { DurableNamespace, DurableState, DurableStub } from "./durable/platform.ts";
export { durableRevocations, type DurableRevocationsOptions } from "./durable/revocations.ts";
export { RevocationObject } from "./durable/revocation-object.ts";
export { SessionObject } from "./durable/session-object.ts";
export { SubjectObject } from "./durable/subject-object.ts";

/** The bindings of the objects' classes, and the prefix of the objects' names. */
export interface SessionDurableStoreOptions {
  /** The binding of `SessionObject`, such as `env.SESSIONS`. */
  readonly sessions: DurableNamespace;
  /** The binding of `SubjectObject`. Default: none, and the store doesn't list a subject's sessions. */
  readonly subjects?: DurableNamespace | undefined;
  /** Begins the name of every object, before a slash, for applications that share bindings. Default "". */
  readonly prefix?: string | undefined;
}

/** Objects that `list` and `destroyAll` ask at once. */
const BATCH = 50;

/** A store of Durable Objects: atomic and strongly consistent everywhere, since each session has one place. */
export class SessionDurableStore implements SessionStore {
  readonly capabilities: StoreCapabilities;
  /** The live sessions of a subject; it also removes stale places. Absent without `subjects`. */
  readonly list?: (subject: string) => AsyncIterable<ListedSession>;
  /**
   * Ends the sessions of a subject, except the one with the id `except`; gives their number. It throws a
   * StoreError when some could not be reached; the others are ended. Absent without `subjects`.
   */
  readonly destroyAll?: (subject: string, options?: { except?: string }) => Promise<number>;
  readonly #sessions: DurableCaller<SessionCalls>;
  readonly #lists: SubjectLists | undefined;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionDurableStoreOptions) {
    const { sessions, subjects, prefix } = readOptions("SessionDurableStore", options, {
      sessions: namespaceOf("SessionObject"),
      subjects: optional(namespaceOf("SubjectObject")),
      prefix: option<string, string>("a string without a slash", isPrefix, ""),
    });
    // The slash ends the prefix: "app" and the user "2alice" are not "app2" and "alice".
    const begins = `${prefix}/`;
    this.#sessions = new DurableCaller(sessions, begins);
    const lists = subjects && new SubjectLists(subjects, begins);
    this.#lists = lists;
    this.capabilities = { atomic: true, expects: true, durable: true, lists: lists !== undefined };
    if (lists === undefined) return;
    this.list = (subject) => this.#list(lists, subject);
    this.destroyAll = (subject, { except } = {}) => this.#destroyAll(lists, subject, except);
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    if (!isSelector(selector)) return undefined;
    const row = await this.#sessions.ask("load", selector, "load", {});
    return decodeRecord(row?.record);
  }

  /**
   * One call; with a subject also one before it, and one after it where a place in its list is left.
   * @throws {LimitError} ERR_SESSION_LIMIT_SESSION for a session over 2 MB.
   */
  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (!isSelector(selector)) return change.op === "destroy" ? toSaved(undefined) : undefined;
    const lists = this.#lists;
    const claims = lists && new CommitClaims(lists, selector, change);
    await claims?.claimFirst();
    const fields = { change: writeChange(change), lists: lists !== undefined };
    const attempt = async (): Promise<SavedSession | undefined> => {
      const claim = claims?.current;
      const answer = await this.#sessions.ask("save", selector, "save", { ...fields, claim });
      if (answer.outcome === "unclaimed") {
        if (claims === undefined || claims.isExhausted) throw unclaimable();
        await claims.claimAgain(answer.subject, fromWire(answer.expires));
        return attempt();
      }
      if (answer.outcome === "applied") {
        await claims?.settle(true, answer.gone);
        const { rev, generation, expires } = answer;
        return { rev, generation, expires: fromWire(expires) };
      }
      if (answer.outcome !== "refused" && answer.outcome !== "too large") throw unknownOutcome();
      await claims?.settle(false, undefined);
      if (answer.outcome === "too large") throw tooLarge(answer.bytes);
      return undefined;
    };
    return attempt();
  }

  async *#list(lists: SubjectLists, subject: string): AsyncGenerator<ListedSession> {
    for (const batch of batchesOf(await lists.members("list", subject))) {
      // oxlint-disable-next-line no-await-in-loop -- a batch at a time
      const rows = await Promise.all(
        batch.map(({ id }) => this.#sessions.ask("list", id, "load", {})),
      );
      const found: ListedSession[] = [];
      const stale: Member[] = [];
      for (const [index, { id, places }] of batch.entries()) {
        const row = rows[index];
        const held = row?.subject === subject ? row.claim : undefined;
        stale.push(...places.filter(({ settled, claim }) => settled && claim !== held));
        const stored = row?.subject === subject ? decodeRecord(row.record) : undefined;
        if (stored !== undefined) found.push({ id, stored });
      }
      // ORDER: with each batch. The platform ends a request that makes too many calls, and the next one gets on.
      // oxlint-disable-next-line no-await-in-loop -- as above
      await lists.release(subject, stale);
      yield* found;
    }
  }

  async #destroyAll(
    lists: SubjectLists,
    subject: string,
    except: string | undefined,
  ): Promise<number> {
    const members = await lists.members("destroyAll", subject);
    let count = 0;
    let failure: StoreError | undefined;
    for (const batch of batchesOf(members.filter(({ id }) => id !== except))) {
      // oxlint-disable-next-line no-await-in-loop -- a batch at a time, or others would wait long
      const answers = await Promise.allSettled(
        batch.map(({ id }) => this.#sessions.ask("destroyAll", id, "end", { subject })),
      );
      const gone: Pick<Member, "id" | "claim">[] = [];
      for (const [index, { id, places }] of batch.entries()) {
        const answer = answers[index];
        if (answer?.status !== "fulfilled") failure ??= answer?.reason as StoreError;
        else if (answer.value.ended) {
          count++;
          gone.push(...places);
          // A place that was claimed since the list was read.
          if (answer.value.claim !== undefined) gone.push({ id, claim: answer.value.claim });
        } else gone.push(...places.filter(({ settled }) => settled));
      }
      // ORDER: with each batch, as in #list.
      // oxlint-disable-next-line no-await-in-loop -- as above
      await lists.release(subject, gone);
    }
    if (failure !== undefined) throw failure;
    return count;
  }
}

/** A session with its places in a subject's list. */
interface Listed {
  readonly id: string;
  readonly places: Member[];
}

/** The sessions of a subject's list, {@link BATCH} at a time: 10,000 rows would fill the memory. */
function* batchesOf(members: readonly Member[]): Generator<readonly Listed[]> {
  const sessions = new Map<string, Listed>();
  for (const member of members) {
    const { id } = member;
    const listed = sessions.get(id);
    if (listed === undefined) sessions.set(id, { id, places: [member] });
    else listed.places.push(member);
  }
  const all = [...sessions.values()];
  for (let start = 0; start < all.length; start += BATCH) yield all.slice(start, start + BATCH);
}

function isPrefix(value: unknown): boolean {
  return typeof value === "string" && !value.includes("/");
}

function optional<Value>(read: Reader<Value>): Reader<Value | undefined> {
  return (value, field) => (value === undefined ? undefined : read(value, field));
}

function tooLarge(actual: number): LimitError {
  const message =
    `the session needs about ${actual} bytes in a Durable Object, which takes no value over ` +
    `${MAX_VALUE_BYTES}; keep less in it, or lower maxSessionBytes`;
  const sizes = { actual, limit: MAX_VALUE_BYTES };
  return new LimitError("ERR_SESSION_LIMIT_SESSION", message, sizes);
}

function unknownOutcome(): StoreError {
  const message = `the object answers with an outcome that this worker doesn't know; ${ONE_VERSION}`;
  return new StoreError("ERR_SESSION_STORE_ANSWER", "save", message);
}

function unclaimable(): StoreError {
  const message = "the subject's list could not be claimed: are the objects' clocks right?";
  return new StoreError("ERR_SESSION_STORE_FAILED", "save", message);
}
