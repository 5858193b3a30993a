// A request's questions to the list of revocations: it is asked before the session opens and again
// before it is written, and it gets each credential and session that ends.
import { chain, isThenable, tryAll, type Awaitable } from "../base/awaitable.ts";
import type { RequestRevocations, RevocationList } from "./revocations.ts";
import { callStore, type StoreCallOptions } from "../store/call.ts";
import type { OpenedSession, RevocableSession, SealedContext } from "../store/contract.ts";

/** The list of revocations for one request. */
export class Revocable implements RequestRevocations {
  readonly #options: StoreCallOptions;
  readonly #list: RevocationList;
  successor: string | undefined = undefined;
  /** The request's credentials in their grace; undefined: none. */
  #inGrace: Set<string> | undefined;

  constructor(options: StoreCallOptions, list: RevocationList) {
    this.#options = options;
    this.#list = list;
  }

  ready(): Awaitable<void> {
    const ready = this.#list.ready();
    // Without a limit of its own: each answer of the log has one, and a first load takes many answers.
    return isThenable(ready)
      ? callStore(this.#options, "load", () => ready, undefined, Infinity)
      : undefined;
  }

  get verdict(): SealedContext["verdict"] {
    let at: number | undefined;
    return (session) => {
      const verdict = this.#list.verdict(session, (at ??= this.#list.reading()));
      if (verdict === "grace") (this.#inGrace ??= new Set()).add(credentialOf(session));
      return verdict;
    };
  }

  isInGrace(session: RevocableSession): boolean {
    return this.#inGrace?.has(credentialOf(session)) === true;
  }

  hasDied({ id, subject, boundAt, credential }: OpenedSession): boolean {
    const current = { id, credential: this.successor ?? credential, subject, boundAt };
    return this.#list.verdict(current) !== undefined;
  }

  bindingTime(subject: string): number {
    return this.#list.bindingTime(subject);
  }

  retire(opened: OpenedSession, successor: string): Awaitable<boolean> {
    // If two nodes replace one credential, the log decides which was first.
    const retire = (): Awaitable<boolean> => this.#list.retire(opened, successor);
    const retired = callStore(this.#options, "revoke", retire, opened.id);
    return chain(retired, (isFirst) => {
      if (isFirst) this.successor = successor;
      return isFirst;
    });
  }

  end(sessions: readonly OpenedSession[]): Awaitable<unknown> {
    return tryAll(sessions, (session) =>
      callStore(this.#options, "revoke", () => this.#list.end(session), session.id),
    );
  }
}

function credentialOf({ id, credential = id }: RevocableSession): string {
  return credential;
}
