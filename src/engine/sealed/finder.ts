// Finds the keeper of a request's sealed session, and waits for the list of revocations, if there is one.
import { recover, chain, type Awaitable } from "../../base/awaitable.ts";
import type { ResolvedConfig } from "../config.ts";
import { ConfigError } from "../../errors.ts";
import type { EngineParts, Finder } from "../keeper.ts";
import type { Revocations } from "../../revocations/revocations.ts";
import { SealedKeeper } from "./keeper.ts";
import { isBorne } from "../../store/call.ts";
import type { SealedSessionStore } from "../../store/contract.ts";

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
    return new SealedKeeper(this.#config, this.#store, header, undefined);
  }

  #findRevocable(header: string, revocations: Revocations): Awaitable<SealedKeeper> {
    const config = this.#config;
    const revocable = revocations.forRequest(config);
    const keeper = new SealedKeeper(config, this.#store, header, revocable);
    // Law L6: a request without a cookie waits for nothing.
    if (keeper.cookies.length === 0) return keeper;
    return recover(
      () => chain(revocable.ready(), () => keeper),
      (error) => {
        if (!isBorne(config, error)) throw error;
        keeper.markUnavailable();
        return keeper;
      },
    );
  }
}

function sealedCredential(): ConfigError {
  const message = "must be a server-side one where a dialect has a credential";
  return new ConfigError("ERR_SESSION_CONFIG_STORE", "store", message);
}
