// The engine: from a Cookie header to a session, and from a session to the effects on the response. It
// knows no framework; the adapters call it and carry out the effects.
import { CookieWriter } from "../cookie/attributes.ts";
import { MAX_HEADER_LENGTH } from "../cookie/find.ts";
import { UsageError } from "../errors.ts";
import { chain, isThenable, type Awaitable } from "../base/awaitable.ts";
import { HEADERS_ONLY, type LostReason } from "../engine/closing.ts";
import {
  askForConfig,
  resolveConfig,
  type ResolvedConfig,
  type SessionConfig,
  type SessionConfigFunction,
  type TicketedConfig,
} from "../engine/config.ts";
import { type Connection, unknownConnection } from "../engine/connection.ts";
import type { EngineDevices, RequestDevice } from "../engine/device.ts";
import type { SessionDialect } from "../engine/dialect.ts";
import type { ResponseEffects } from "../engine/effects.ts";
import { notify } from "../events.ts";
import type { EngineParts, Finder, Keeper } from "../engine/keeper.ts";
import { configFor } from "../engine/request-config.ts";
import { TicketedFinder } from "../engine/ticketed/finder.ts";
import { RequestSession, type SessionStage } from "../engine/request.ts";
import { SealedFinder } from "../engine/sealed/finder.ts";
import { requestOf, Session } from "./session.ts";
import { isSealed } from "../store/contract.ts";

const engines = new WeakMap<SessionConfig | SessionConfigFunction, SessionMiddleware>();

/** The argument of every entry point: a configuration, a function that gives one, or an engine. */
export type SessionConfigSource = SessionConfig | SessionConfigFunction | SessionMiddleware;

/** The engine: opens and commits the sessions of one configuration; made once, used for every request. */
export class SessionMiddleware {
  readonly #config: ResolvedConfig;
  readonly #parts: EngineParts;
  readonly #finder: Finder;
  /** The devices that sessions are bound to, and the path that hosts let them answer; undefined: none. */
  readonly devices: EngineDevices | undefined;

  /** @throws {ConfigError} with the field's name and the way out. */
  constructor(config: SessionConfig) {
    this.#config = resolveConfig(config);
    this.#parts = { config: this.#config, cookies: new CookieWriter(this.#config.cookie) };
    this.#finder = finderOf(this.#config);
    this.devices = config.deviceBinding?.bindTo(this.#config);
  }

  /**
   * The engine of a configuration, made at the first call; an engine is returned itself. A function is
   * called until it has returned a valid configuration, and not again.
   * @param env - the argument for a function.
   * @throws {ConfigError} as the constructor, and when a function returns a promise; and the errors of the
   * function.
   */
  static from(source: SessionConfigSource, env?: unknown): SessionMiddleware {
    if (source instanceof SessionMiddleware) return source;
    const known = engines.get(source);
    if (known !== undefined) return known;
    const engine = new SessionMiddleware(
      typeof source === "function" ? askForConfig(source, env) : source,
    );
    engines.set(source, engine);
    return engine;
  }

  /**
   * The session of a request. Never throws for any content of the header (law L12).
   * @param cookieHeader - the Cookie header; several are joined with "; ".
   * @param connection - the host's description of the connection; getters are called when needed.
   * @param dialect - for drop-ins, with another library's cookies and rules; absent: ours.
   * @param env - the host's environment of the request, for a store that is made for each.
   * @param device - for the path of `devices`; absent: that of the header.
   * @throws {StoreError} when the store fails and `onStoreError` is "fail".
   * @throws {ConfigError} ERR_SESSION_CONFIG_STORE for a dialect with a credential of its own over a store
   * that seals its sessions.
   */
  open(
    cookieHeader: string | undefined,
    connection: Connection = unknownConnection,
    dialect?: SessionDialect,
    env?: unknown,
    device?: RequestDevice,
  ): Awaitable<Session> {
    const header = this.#checkHeader(cookieHeader);
    const own = device ?? this.devices?.forRequest(header);
    const config = configFor(this.#config, env);
    // Most requests have nothing of their own, and share the parts.
    const isUsual = (dialect ?? own) === undefined && config === this.#config;
    const { cookies } = this.#parts;
    const parts = isUsual ? this.#parts : { config, cookies, dialect, device: own };
    const keeper = this.#finder.find(header, parts);
    // A session that is found at once costs no promise.
    if (!isThenable(keeper)) return this.#sessionOf(keeper, connection, parts);
    return keeper.then((found) => this.#sessionOf(found, connection, parts));
  }

  #sessionOf(keeper: Keeper, connection: Connection, parts: EngineParts): Session {
    return new Session(new RequestSession(this, parts, connection, keeper));
  }

  /** True for a session of this engine. */
  owns(session: unknown): session is Session {
    return session instanceof Session && requestOf(session)?.owner === this;
  }

  /**
   * As `open`, for a request whose response can't carry a cookie, such as a WebSocket upgrade.
   * @param reason - the message of the error of a change; default: that of an upgrade.
   */
  openReadOnly(
    cookieHeader: string | undefined,
    dialect?: SessionDialect,
    env?: unknown,
    reason: string = HEADERS_ONLY,
  ): Awaitable<Session> {
    return chain(this.open(cookieHeader, unknownConnection, dialect, env), (session) => {
      this.#requestOf(session).onlyRead = reason;
      return session;
    });
  }

  /**
   * Saves the request's changes, and freezes the session at once. A second call gives the same effects.
   * After a failed call the session is as stored before: the second call saves the changes made since,
   * and gives the effects that are still due. It doesn't fail: changes that it can't save are refused.
   * @throws {StoreError} when the store fails.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE when it doesn't fit the cookie.
   */
  commit(session: Session): Awaitable<ResponseEffects> {
    return this.#requestOf(session).close();
  }

  /**
   * Saves the request's changes so far, as `session.commit()` does, and gives the effects that are due by
   * now; the session stays open, and a later call gives all effects anew.
   * @throws as `commit`
   */
  save(session: Session): Promise<ResponseEffects> {
    return this.#requestOf(session).save();
  }

  /**
   * Tells the engine that no response will carry the session's cookie: changes that need one are refused
   * for this reason. A server-side store still saves later commits.
   * @param reason - "aborted", the default: the client has gone before the response was sent;
   * "uncarried": no response can take a cookie.
   */
  abandon(session: Session, reason: LostReason = "aborted"): void {
    this.#requestOf(session).abandon(reason);
  }

  /**
   * Makes what the configuration keeps in this process's memory one for all engines of the process whose
   * cookie and signing key are the same: for hosts whose bundler puts several copies of one module into a
   * process.
   */
  shareMemory(): void {
    const { name, cookie, signing, store, revocations } = this.#config;
    const key = JSON.stringify([name, cookie.path, cookie.domain, signing?.current.id]);
    if (!isSealed(store)) store.shareAs?.(key);
    revocations?.shareAs?.(key);
  }

  /** The stage of a request's session. */
  stageOf(session: Session): SessionStage {
    return this.#requestOf(session).stage;
  }

  /** The name of this configuration's cookie. */
  get cookieName(): string {
    return this.#config.name;
  }

  /** Calls `listener` once, at the first operation that changes the session. */
  whenChanged(session: Session, listener: () => void): void {
    this.#requestOf(session).whenChanged(listener);
  }

  #requestOf(session: unknown): RequestSession {
    const request = session instanceof Session ? requestOf(session) : undefined;
    if (request?.owner === this) return request;
    const message = "this is no session of this engine: give it the one that open gave";
    throw new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
  }

  #checkHeader(header: string | undefined): string {
    if (typeof header !== "string") return "";
    if (header.length <= MAX_HEADER_LENGTH) return header;
    notify(this.#config.on, "rejected", { reason: "header-too-large" });
    return "";
  }
}

function finderOf(config: ResolvedConfig): Finder {
  const { store } = config;
  if (isSealed(store)) return new SealedFinder(config, store);
  // Without a signing key it would have been refused.
  const finder = new TicketedFinder(config as TicketedConfig);
  return config.migrateFrom?.takeOver(finder, config as TicketedConfig) ?? finder;
}
