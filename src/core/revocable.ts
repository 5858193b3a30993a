// The session of a sealed store with revocations: as any sealed one, but the list of the revoked is
// asked before it is opened and again before it is written, and hears of what ends.
import { StoreError } from "../errors.ts";
import { chain, isThenable, tryAll } from "./awaitable.ts";
import type { Binding, Connection, EngineParts } from "./backing.ts";
import type { RefusedReason } from "./events.ts";
import { mintSelector } from "./key.ts";
import type { RevocationList } from "./revocations.ts";
import { SealedBacking } from "./sealed.ts";
import { callStore } from "./store-call.ts";
import {
  type Awaitable,
  type Cookie,
  type OpenedSession,
  type RevocableSession,
  type SealedChange,
  type SealedContext,
  type SealedSessionStore,
} from "./store.ts";

/** The session of one request over a sealed store whose sessions can be revoked. */
export class RevocableBacking extends SealedBacking {
  readonly #list: RevocationList;
  /** The credential that takes the place of the opened one, which is retired. */
  #credential: string | undefined;
  /** The credentials of the request that are in their grace; undefined: none is. */
  #inGrace: Set<string> | undefined;
  /** The opened credential was retired or it wasn't, nobody knows: nothing more is saved. */
  #broken: Error | undefined;

  constructor(
    parts: EngineParts,
    connection: Connection,
    store: SealedSessionStore,
    findCookies: () => readonly Cookie[],
    list: RevocationList,
  ) {
    super(parts, connection, store, findCookies);
    this.#list = list;
  }

  /**
   * Waits until the list can say what became of the request's session.
   * @param ready - what its `ready` gave.
   * @throws {StoreError} when it can't and `onStoreError` is "fail".
   */
  async prepare(ready: Promise<void>): Promise<void> {
    try {
      await this.#watch(() => ready);
    } catch (error) {
      this.shut(error);
    }
  }

  protected override adopt(opened: OpenedSession): void {
    super.adopt(opened, this.#inGrace?.has(credentialOf(opened)) === true ? "grace" : undefined);
  }

  protected override get verdict(): SealedContext["verdict"] {
    let at: number | undefined;
    return (session) => {
      const verdict = this.#list.verdict(session, (at ??= this.#list.reading()));
      if (verdict === "grace") (this.#inGrace ??= new Set()).add(credentialOf(session));
      return verdict;
    };
  }

  protected override prepareWrite(): Awaitable<void> {
    // Who brought no session and isn't bound to a subject needs to know of no revocation.
    return this.opened === undefined && this.binding === undefined ? undefined : this.#ready();
  }

  protected override refusal(): RefusedReason | undefined {
    if (this.#broken !== undefined) return "unavailable";
    const { opened } = this;
    if (opened === undefined) return undefined;
    // Asked anew: what lived at the opening may be dead by now. What was in its grace is read-only.
    const { id, subject, boundAt } = opened;
    const credential = this.#credential ?? opened.credential;
    const verdict = this.#list.verdict({ id, credential, subject, boundAt });
    return verdict === undefined ? undefined : "stale";
  }

  protected override extras(binding: Binding | undefined): Partial<SealedChange> {
    return {
      ...(this.#credential !== undefined && { credential: this.#credential }),
      ...(binding !== undefined && { boundAt: this.#list.bindingTime(binding.subject) }),
    };
  }

  protected override startFresh(): void {
    this.#credential = undefined;
    super.startFresh();
  }

  protected override replaceCredential(): Awaitable<void> {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.isShut) throw this.notSaved();
    if (this.readOnly === "grace") {
      // A login whose first response was lost works at the second try.
      if (this.changed) this.refuse("grace");
      return this.startFresh();
    }
    // What no response has carried yet needs no second successor.
    if (!this.stored || this.#credential !== undefined) return super.replaceCredential();
    return chain(this.#ready(), () => this.#retire());
  }

  #retire(): Awaitable<void> {
    const { opened } = this;
    if (opened === undefined || this.refusal() !== undefined) return this.#startOver();
    const successor = mintSelector();
    this.#credential = successor;
    this.bump = true;
    const seal = (): Awaitable<void> => {
      // ORDER: what doesn't fit is heard of before the old credential is retired.
      if (!this.write()) return this.startFresh();
      const retired = this.#tell(() => this.#list.retire(opened, successor));
      // Of two that replace one credential at two nodes, the log says which was the first.
      return chain(retired, (isFirst) => (isFirst ? this.keep() : this.#startOver()));
    };
    return attempt(seal, (error) => {
      if (error instanceof StoreError) this.#broken = error;
      this.#credential = undefined;
      this.takeBack();
      throw error;
    });
  }

  /** Another request has ended the session or replaced its credential: this one has none of it. */
  #startOver(): void {
    this.refuse("stale");
    this.startFresh();
  }

  protected override announceEnd(sessions: readonly OpenedSession[]): Awaitable<unknown> {
    return tryAll(sessions, (session) => this.#tell(() => this.#list.end(session)));
  }

  #ready(): Awaitable<void> {
    // Each answer of the log has its own time; the first load is many of them.
    return this.#watch(() => this.#list.ready());
  }

  #watch(call: () => Awaitable<void>): Awaitable<void> {
    return callStore(this.config, "load", call, Infinity);
  }

  #tell<T>(call: () => Awaitable<T>): Awaitable<T> {
    return callStore(this.config, "revoke", call);
  }
}

function credentialOf({ id, credential = id }: RevocableSession): string {
  return credential;
}

/** What `call` gives, or what `recover` does about its failure, now or later. */
function attempt(call: () => Awaitable<void>, recover: (error: unknown) => void): Awaitable<void> {
  try {
    const answer = call();
    return isThenable(answer) ? answer.catch(recover) : answer;
  } catch (error) {
    return recover(error);
  }
}
