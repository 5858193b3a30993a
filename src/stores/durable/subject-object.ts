// `SubjectObject`: one object holds the list of one subject's sessions. A session claims a place before it is bound,
// and the place is released after it is not any more. One that is left over, since a worker was cancelled between
// the two, is recognized as stale when the list is read, and removed at the end that it was claimed for.
import { MAX_SKEW, SECOND } from "../../base/time.ts";
import { mintSelector } from "../../store/selector.ts";
import type { DurableState, DurableStorage } from "./platform.ts";
import { fromWire, type Member, type SubjectCalls, toWire } from "./protocol.ts";
import { type Answers, serve, sqliteStorageOf } from "./serve.ts";

/** A place without a session is stale after this time; no save takes so long. */
const SETTLED: number = 900 * SECOND;
/** How much longer than it was claimed for a place is kept: the session's object has its own clock. */
const MARGIN: number = 2 * MAX_SKEW;

/** A place as it is kept, under "id:claim". */
interface Place {
  /** When it was claimed, Unix milliseconds. */
  readonly at: number;
  /** Unix milliseconds; Infinity: it has no end. */
  readonly until: number;
}

/**
 * The Durable Object class of a subject's list, for `SessionDurableStore` with `subjects`: export it from the
 * worker's module, and list it in `new_sqlite_classes` of a migration.
 */
export class SubjectObject {
  /** What the platform's types know a Durable Object class by. */
  declare readonly __DURABLE_OBJECT_BRAND: never;
  readonly #state: DurableState;
  /** Its storage, once it was looked at. */
  #checked: DurableStorage | undefined;
  readonly #answers: Answers<SubjectCalls> = {
    claim: {
      fields: ["id", "span", "expires", "deadline"],
      answer: (fields) => this.#claim(fields),
    },
    release: { fields: ["claims"], answer: ({ claims }) => this.#release(claims) },
    members: { fields: [], answer: () => this.#members() },
  };

  /** The platform calls it. */
  constructor(state: DurableState, _env?: unknown) {
    this.#state = state;
  }

  /** Answers a call of `SessionDurableStore`; nothing else calls it. */
  fetch(request: Request): Promise<Response> {
    return serve("SubjectObject", request, this.#answers);
  }

  /** Removes the places whose end has passed. The platform calls it. */
  async alarm(): Promise<void> {
    const now = Date.now();
    let next = Infinity;
    for (const [name, { until }] of this.#places()) {
      const end = until + MARGIN;
      if (end <= now) this.#storage.kv.delete(name);
      else next = Math.min(next, end);
    }
    if (next < Infinity) await this.#storage.setAlarm(next);
    await this.#removeIfEmpty();
  }

  get #storage(): DurableStorage {
    return (this.#checked ??= sqliteStorageOf(this.#state));
  }

  async #claim({
    id,
    span,
    expires,
    deadline,
  }: Parameters<SubjectCalls["claim"]>[0]): Promise<ReturnType<SubjectCalls["claim"]>> {
    const alarm = await this.#storage.getAlarm();
    const at = Date.now();
    const end = Math.max(at + fromWire(span), fromWire(expires));
    const until = Math.min(end, fromWire(deadline));
    const claim = mintSelector();
    const place: Place = { at, until };
    this.#storage.kv.put(`${id}:${claim}`, place);
    if (until + MARGIN < (alarm ?? Infinity)) await this.#storage.setAlarm(until + MARGIN);
    return { claim, until: toWire(until) };
  }

  async #release(claims: Parameters<SubjectCalls["release"]>[0]["claims"]): Promise<null> {
    for (const { id, claim } of claims) this.#storage.kv.delete(`${id}:${claim}`);
    await this.#removeIfEmpty();
    return null;
  }

  #members(): readonly Member[] {
    const settledBefore = Date.now() - SETTLED;
    return this.#places().map(([name, { at }]) => {
      const colon = name.lastIndexOf(":");
      return {
        id: name.slice(0, colon),
        claim: name.slice(colon + 1),
        settled: at < settledBefore,
      };
    });
  }

  #places(): [string, Place][] {
    return [...this.#storage.kv.list()] as [string, Place][];
  }

  /** An object without storage ceases to exist. */
  async #removeIfEmpty(): Promise<void> {
    const storage = this.#storage;
    if ([...storage.kv.list({ limit: 1 })].length > 0) return;
    await Promise.all([storage.deleteAlarm(), storage.deleteAll()]);
  }
}
