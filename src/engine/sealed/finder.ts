// Finds a request's cookies that may hold a sealed session, and waits for the list of revocations, if
// there is one.
import { findCookies, findParts } from "../../cookie/find.ts";
import { recover, chain, type Awaitable } from "../../base/awaitable.ts";
import type { ResolvedConfig } from "../config.ts";
import { ConfigError } from "../../errors.ts";
import type { EngineParts, Finder } from "../keeper.ts";
import type { Revocations } from "../../revocations/revocations.ts";
import { SealedKeeper } from "./keeper.ts";
import { isBorne } from "../../store/call.ts";
import type { Cookie, SealedSessionStore } from "../../store/contract.ts";

/** Finds the sessions of one configuration; each opens at its first look. */
export class SealedFinder implements Finder {
  readonly #config: ResolvedConfig;
  readonly #store: SealedSessionStore;

  constructor(config: ResolvedConfig, store: SealedSessionStore) {
    this.#config = config;
    this.#store = store;
  }

  find(header: string, { dialect }: EngineParts): Awaitable<SealedKeeper> {
    if (dialect?.credential !== undefined) throw sealedCredential();
    const { revocations } = this.#config;
    if (revocations !== undefined) return this.#findRevocable(header, revocations);
    return new SealedKeeper(this.#config, this.#store, () => this.#findCookies(header), undefined);
  }

  #findRevocable(header: string, revocations: Revocations): Awaitable<SealedKeeper> {
    const config = this.#config;
    const cookies = this.#findCookies(header);
    const revocable = revocations.forRequest(config);
    const keeper = new SealedKeeper(config, this.#store, () => cookies, revocable);
    // Law L6: a request without a cookie waits for nothing.
    if (cookies.length === 0) return keeper;
    return recover(
      () => chain(revocable.ready(), () => keeper),
      (error) => {
        if (!isBorne(config, error)) throw error;
        keeper.markUnavailable();
        return keeper;
      },
    );
  }

  #findCookies(header: string): readonly Cookie[] {
    if (header === "") return [];
    const { name } = this.#config;
    const cookies: Cookie[] = findParts(header, name);
    for (const foreign of this.#store.foreignNames ?? []) {
      if (foreign === name) continue;
      for (const value of findCookies(header, foreign)) cookies.push({ name: foreign, value });
    }
    return cookies;
  }
}

function sealedCredential(): ConfigError {
  const message = "must be a server-side one where a dialect has a credential";
  return new ConfigError("ERR_SESSION_CONFIG_STORE", "store", message);
}
