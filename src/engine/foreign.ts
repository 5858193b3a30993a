// Another library's sessions on a server, which become rows of ours: what the engine and the one who
// takes them over need of each other. The taking over is in src/compat, so that an engine without it
// carries none of it.
import type { Awaitable } from "../base/awaitable.ts";
import type { SessionStore } from "../store/contract.ts";
import type { StoreCallOptions } from "../store/call.ts";
import type { OpenedTicket } from "./ticketed/ticket.ts";

/** Sessions of another library that a request brought, beside ours or in their place. */
export interface BroughtSessions {
  /** The names of their cookies. */
  readonly names: readonly string[];
  /** The selectors of the rows that they are here, or would be. */
  readonly selectors: readonly string[];
  /** Ends them where the other library keeps them. */
  readonly end: () => Awaitable<unknown>;
}

/** A keeper, as far as taking over goes. */
interface ForeignKeeper {
  /** True if the request brought a ticket of ours, whatever has become of its row. */
  readonly hasCredential: boolean;
  bring(sessions: BroughtSessions): void;
}

/** The finder of our own sessions, as far as taking over goes. */
interface OwnFinder<Keeper extends ForeignKeeper, Parts> {
  find(header: string, parts: Parts): Awaitable<Keeper>;
  /**
   * The keeper of the sessions that these tickets stand for.
   * @param before - done for each selector before its row is loaded.
   */
  open(
    tickets: readonly OpenedTicket[],
    parts: Parts,
    before: (selector: string) => Awaitable<unknown>,
  ): Awaitable<Keeper>;
}

/** What taking over needs of the configuration. */
export interface TakeoverConfig extends StoreCallOptions {
  readonly store: SessionStore;
  readonly name: string;
  /** Seconds, as configured. */
  readonly cookieExpires: number;
  readonly sessionExpires: number;
  /** Seconds; Infinity: none. */
  readonly absoluteExpires: number;
  readonly now: () => number;
}

/**
 * Another library's sessions, for `migrateFrom` of a configuration with a server-side store; made by
 * `expressSessions` of `kocha-session/compat/express-rows`.
 */
export interface ForeignSessions {
  /** The finder of ours and of theirs. */
  readonly takeOver: <Keeper extends ForeignKeeper, Parts>(
    own: OwnFinder<Keeper, Parts>,
    config: TakeoverConfig,
  ) => { find(header: string, parts: Parts): Awaitable<Keeper> };
}
