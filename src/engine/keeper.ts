// The keeper of one request's session: the engine's one interface to both kinds of stores.
// ticketed/keeper.ts keeps sessions in server-side stores, sealed/keeper.ts in the client's cookies.
import type { CookieWriter } from "../cookie/attributes.ts";
import type { Binding } from "./binding.ts";
import type { ResolvedConfig } from "./config.ts";
import type { RequestDevice } from "./device.ts";
import type { SessionDialect } from "./dialect.ts";
import type { Draft } from "./draft.ts";
import type { ConflictReason, RefusedReason } from "../events.ts";
import type { RenewalState } from "./expiry.ts";
import type { Found } from "./found.ts";
import type { Decision } from "./lifecycle.ts";
import type { Awaitable } from "../base/awaitable.ts";
import type { Edit } from "./map.ts";
import type { SealedWrite } from "../store/contract.ts";

/** The parts of an engine that its requests share; a request with something of its own has a copy. */
export interface EngineParts {
  /** Of one request where its store is made for it. */
  readonly config: ResolvedConfig;
  readonly cookies: CookieWriter;
  /** Of one request; most have none. */
  readonly dialect?: SessionDialect | undefined;
  /** Of one request, where sessions can be bound to devices. */
  readonly device?: RequestDevice | undefined;
}

/** Keeps one request's session. Saves give the reason of a refusal; undefined: saved. */
export interface Keeper {
  /** True if a save needs no response to carry it, so that it works even after that has begun. */
  readonly savesAlone: boolean;
  /** The session's handle, no credential. */
  readonly id: string;
  /**
   * True if the request brought a credential of ours, whatever has become of its session; known after the
   * first look.
   */
  readonly hasCredential: boolean;
  /** True if the session is in the store, or in the request's cookies. */
  readonly isStored: boolean;
  /** Unix milliseconds of the stored session's end; Infinity: none. */
  readonly expires: number;
  /** Unix milliseconds of the stored session's absolute end; undefined: it has none yet. */
  readonly deadline: number | undefined;
  /** The save of this request that waits for its response; undefined: none. */
  readonly uncarried:
    | { readonly binding: Binding | undefined; readonly isStarted: boolean }
    | undefined;
  /** The failure after which the kept session is unknown; undefined: none. */
  readonly broken: Error | undefined;

  /**
   * The session that the request brought; called at the first look.
   * @throws {StoreError} when that can't be determined.
   */
  load(): Found | undefined;
  /** The input of the decision to renew. */
  renewal(draft: Draft): RenewalState;
  /** Saves a changed draft. */
  save(draft: Draft): Awaitable<RefusedReason | undefined>;
  /**
   * Edits a key's value and saves it with the draft: in one step if the store can, otherwise on the
   * value that the request sees. `edit` may run more than once; the last run counts. After a refusal or
   * a failure the draft is as it was before.
   * @throws what `edit` throws, and {LimitError} as `map.set`.
   */
  exact(draft: Draft, key: string, edit: Edit): Awaitable<ConflictReason | undefined>;
  /** Saves a draft with a new credential for the stored session. */
  regenerate(draft: Draft): Awaitable<RefusedReason | undefined>;
  /** Carries out the decision of the request's end. */
  close(draft: Draft, decision: Decision): Awaitable<RefusedReason | undefined>;
  /** Ends every session that the request brought or has made. */
  destroy(draft: Draft): Awaitable<unknown>;
  /** Lets go of the session, which lives on without this request. */
  forget(): void;
  /** The cookies that are due to the client now. */
  due(): SealedWrite | undefined;
}

/** Finds the session that a request brings. */
export interface Finder {
  /**
   * The keeper of the request's session, once that can be loaded.
   * @throws {StoreError} when the store fails and `onStoreError` is "fail".
   */
  find(header: string, parts: EngineParts): Awaitable<Keeper>;
}
