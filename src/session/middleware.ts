// The engine: from a Cookie header to a session, and from a session to what the response owes the
// client. It knows no framework; the adapters call it and carry out the effects.
import { CookieWriter } from "../cookie/attributes.ts";
import { MAX_HEADER_LENGTH } from "../cookie/find.ts";
import { UsageError } from "../errors.ts";
import { chain, isThenable, type Awaitable } from "../base/awaitable.ts";
import type { LostReason } from "../engine/closing.ts";
import {
  askForConfig,
  resolveConfig,
  type ResolvedConfig,
  type SessionConfig,
  type SessionConfigFunction,
  type TicketedConfig,
} from "../engine/config.ts";
import { type Connection, unknownConnection } from "../engine/connection.ts";
import type { SessionDialect } from "../engine/dialect.ts";
import type { ResponseEffects } from "../engine/effects.ts";
import { notify } from "../events.ts";
import type { EngineParts, Finder, Keeper } from "../engine/keeper.ts";
import { TicketedFinder } from "../engine/ticketed/finder.ts";
import { RequestSession, type SessionStage } from "../engine/request.ts";
import { SealedFinder } from "../engine/sealed/finder.ts";
import { requestOf, Session } from "./session.ts";
import { isSealed } from "../store/contract.ts";

const engines = new WeakMap<SessionConfig | SessionConfigFunction, SessionMiddleware>();

/** What every entry point takes: a configuration, a function that gives one, or an engine. */
export type SessionConfigSource = SessionConfig | SessionConfigFunction | SessionMiddleware;

/** Opens and commits the sessions of one configuration; made once, used for every request. */
export class SessionMiddleware {
  readonly #config: ResolvedConfig;
  readonly #parts: EngineParts;
  readonly #finder: Finder;

  /** @throws {ConfigError} with the field's name and the way out. */
  constructor(config: SessionConfig) {
    this.#config = resolveConfig(config);
    this.#parts = { config: this.#config, cookies: new CookieWriter(this.#config.cookie) };
    this.#finder = finderOf(this.#config);
  }

  /**
   * The engine of a configuration, made at the first call; an engine is given back as it is. A function
   * is asked until it has given a configuration that is right, and not again.
   * @param env - what a function is asked with.
   * @throws {ConfigError} as the constructor, and when a function gives a promise; and what the
   * function throws.
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
   * The session of a request. It never throws for what the client sent (law L12).
   * @param cookieHeader - the Cookie header; several are joined with "; ".
   * @param connection - what the host says of the connection; getters are called when needed.
   * @param dialect - for a drop-in that speaks another library's way; absent: ours.
   * @throws {StoreError} when the store fails and `onStoreError` is "fail".
   * @throws {ConfigError} ERR_SESSION_CONFIG_STORE when the dialect has a credential of its own, and
   * the store seals its sessions.
   */
  open(
    cookieHeader: string | undefined,
    connection: Connection = unknownConnection,
    dialect?: SessionDialect,
  ): Awaitable<Session> {
    const header = this.#checkHeader(cookieHeader);
    const keeper = this.#finder.find(header, dialect);
    // A session that is there at once costs no promise.
    if (!isThenable(keeper)) return this.#sessionOf(keeper, connection, dialect);
    return keeper.then((found) => this.#sessionOf(found, connection, dialect));
  }

  #sessionOf(keeper: Keeper, connection: Connection, dialect: SessionDialect | undefined): Session {
    const parts = dialect === undefined ? this.#parts : { ...this.#parts, dialect };
    return new Session(new RequestSession(this, parts, connection, keeper));
  }

  /** Whether `session` is one of this engine's. */
  owns(session: unknown): session is Session {
    return session instanceof Session && requestOf(session)?.owner === this;
  }

  /** As `open`, for a request whose response can't carry a cookie, such as a WebSocket upgrade. */
  openReadOnly(cookieHeader: string | undefined, dialect?: SessionDialect): Awaitable<Session> {
    return chain(this.open(cookieHeader, unknownConnection, dialect), (session) => {
      this.#requestOf(session).headersOnly = true;
      return session;
    });
  }

  /**
   * Saves what the request changed, and freezes the session at once. A second call gives the same
   * answer. When the first one failed, the session is as it was stored before; then the second call
   * saves what was changed since, and gives what the response owes in spite of the failure. It
   * doesn't fail: what can't be saved by it is refused.
   * @throws {StoreError} when the store fails.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE when it doesn't fit the cookie.
   */
  commit(session: Session): Awaitable<ResponseEffects> {
    return this.#requestOf(session).close();
  }

  /**
   * No response will carry the session's cookie: what only a cookie could carry is refused for this
   * reason. A server-side store still saves what is committed later.
   * @param reason - "aborted", the default: the client is gone before the response left;
   * "uncarried": there is no response that could take a cookie.
   */
  abandon(session: Session, reason: LostReason = "aborted"): void {
    this.#requestOf(session).abandon(reason);
  }

  /** How far the request has come with its session. */
  stageOf(session: Session): SessionStage {
    return this.#requestOf(session).stage;
  }

  /** The name of this configuration's cookie. */
  get cookieName(): string {
    return this.#config.name;
  }

  /** Calls `listener` once, when the session has something to save or to send. */
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
