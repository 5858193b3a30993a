// The clients of a sealed store, each with its cookies, so that the contract's cases run on it as on
// any other store: a selector says which client. It knows no clause.
import {
  type Cookie,
  isOpened,
  type OpenedSession,
  type SavedSession,
  type SealedContext,
  type SealedRemains,
  type SealedSessionStore,
  type SessionChange,
  type SessionStore,
  type StoredSession,
} from "../../store/contract.ts";
import { toSaved } from "../../store/change.ts";
import type { TestClock } from "../clock.ts";

const NAME = "session";

/** The clients of one sealed store, by selector. */
export class Browsers implements SessionStore {
  readonly #store: SealedSessionStore;
  readonly #clock: TestClock;
  readonly #cookies = new Map<string, ReadonlyMap<string, string>>();

  constructor(store: SealedSessionStore, clock: TestClock) {
    this.#store = store;
    this.#clock = clock;
  }

  load(selector: string): StoredSession | undefined {
    const found = this.#open(selector);
    if (!isOpened(found)) return undefined;
    const { data, rev, expires } = found;
    // No case looks at the other two fields of a row: a sealed session has none of them.
    return { data: new Map(data), rev, expires, generation: 0, meta: "" };
  }

  save(selector: string, { meta, ...change }: SessionChange): SavedSession | undefined {
    // What stands in a row's notes stands by itself in a cookie, such as a lifetime.
    const seconds = change.ttl === Infinity ? 0 : change.ttl / 1000;
    const lifetime = change.op === "update" && meta !== undefined && { sessionExpires: seconds };
    const write = this.#store.write(
      this.#open(selector),
      { ...change, ...lifetime },
      this.#context,
    );
    if (write === undefined) return undefined;
    const cookies = new Map(this.#cookies.get(selector));
    for (const name of write.expire) cookies.delete(name);
    for (const { name, value } of write.set) cookies.set(name, value);
    this.#cookies.set(selector, cookies);
    return toSaved(this.load(selector));
  }

  #open(selector: string): OpenedSession | SealedRemains | undefined {
    const kept = this.#cookies.get(selector);
    // A client without cookies of ours sends whatever it likes.
    const cookies: readonly Cookie[] =
      kept === undefined
        ? [{ name: NAME, value: selector }]
        : Array.from(kept, ([name, value]) => ({ name, value }));
    return this.#store.open(cookies, this.#context);
  }

  get #context(): SealedContext {
    return { name: NAME, now: this.#clock.now() };
  }
}
