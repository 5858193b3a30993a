// The keeper of one request's session: the one contract that both kinds of stores are met by.
// ticketed/keeper.ts keeps sessions in server-side stores, sealed/keeper.ts in the client's own cookies.
import type { CookieWriter } from "../cookie/attributes.ts";
import type { Binding } from "./binding.ts";
import type { ResolvedConfig } from "./config.ts";
import type { SessionDialect } from "./dialect.ts";
import type { Draft, Found } from "./draft.ts";
import type { RefusedReason } from "../events.ts";
import type { RenewalState } from "./expiry.ts";
import type { Decision } from "./lifecycle.ts";
import type { Awaitable } from "../base/awaitable.ts";
import type { ConflictReason } from "./closing.ts";
import type { Edit } from "./map.ts";
import type { SealedWrite } from "../store/contract.ts";

/** What an engine has made ready for all its requests. */
export interface EngineParts {
  readonly config: ResolvedConfig;
  readonly cookies: CookieWriter;
  /** Of one request, of which few have one. */
  readonly dialect?: SessionDialect | undefined;
}

/** Keeps one request's session. Saves give why nothing was saved; undefined: it was. */
export interface Keeper {
  /** Whether saving needs no response to carry it, so that it also works when that has begun. */
  readonly savesAlone: boolean;
  /** The session's handle, no credential. */
  readonly id: string;
  /** Whether the session is in the store, or in the request's cookies. */
  readonly isStored: boolean;
  /** Unix milliseconds of the stored session's end; Infinity: none. */
  readonly expires: number;
  /** Unix milliseconds of the stored session's absolute end; undefined: it has none yet. */
  readonly deadline: number | undefined;
  /** What was saved within the request and waits for its response; undefined: nothing. */
  readonly uncarried:
    | { readonly binding: Binding | undefined; readonly isStarted: boolean }
    | undefined;
  /** The failure after which nobody knows what is kept; undefined: there was none. */
  readonly broken: Error | undefined;

  /**
   * What the request brought; called at the first look.
   * @throws {StoreError} when nobody can say.
   */
  load(): Found | undefined;
  /** What the decision to renew looks at. */
  renewal(draft: Draft): RenewalState;
  /** Saves a draft that has changed. */
  save(draft: Draft): Awaitable<RefusedReason | undefined>;
  /**
   * Changes a key by what it holds, and saves that with the draft: as one step where the store can do
   * so, and otherwise by what the request sees. `edit` may run more than once; the last run counts.
   * Refused or failed, the draft is as it was before.
   * @throws what `edit` throws, and {LimitError} as `map.set`.
   */
  exact(draft: Draft, key: string, edit: Edit): Awaitable<ConflictReason | undefined>;
  /** Saves a draft with a new credential for the stored session. */
  regenerate(draft: Draft): Awaitable<RefusedReason | undefined>;
  /** Carries out what was decided at the request's end. */
  close(draft: Draft, decision: Decision): Awaitable<RefusedReason | undefined>;
  /** Ends every session that the request brought or has made. */
  destroy(draft: Draft): Awaitable<unknown>;
  /** Lets go of the session: the request has none of it any more. */
  forget(): void;
  /** The cookies that the response owes the client as things stand. */
  due(): SealedWrite | undefined;
}

/** Finds the session that a request brings. */
export interface Finder {
  /**
   * The keeper of the request's session, once it can say what the request brought.
   * @throws {StoreError} when the store fails and `onStoreError` is "fail".
   */
  find(header: string, dialect: SessionDialect | undefined): Awaitable<Keeper>;
}
