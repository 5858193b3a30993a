// What stands behind one request's session: the map, what may still be done with it, and what the
// response owes the client. Its two kinds are keyed.ts (server-side stores) and sealed.ts.
import { LimitError, StoreError, UsageError } from "../errors.ts";
import type { CookieWriter } from "../cookie/attributes.ts";
import type { ResponseEffects } from "./effects.ts";
import type { ResolvedConfig } from "./config.ts";
import { notify, type RefusedReason } from "./events.ts";
import { SECOND } from "./expiry.ts";
import {
  idleOf,
  isSameLifetime,
  type Lifetime,
  noLifetime,
  withCookieExpires,
  withSessionExpires,
} from "./lifetime.ts";
import { closedError, type LostReason, unsavedError } from "./closing.ts";
import { SessionMap } from "./map.ts";
import { isThenable } from "./awaitable.ts";
import { Turns } from "./turns.ts";
import type { Awaitable } from "./store.ts";
import { assertText, utf8Length } from "./text.ts";

/** What the host says of a request's connection, by its own word; read when it is needed. */
export interface Connection {
  /** Whether the client came by https. */
  readonly secure?: boolean | undefined;
  /** Whether the client is this machine: the socket's other end, and no proxy that stands there. */
  readonly loopback?: boolean | undefined;
}

/** What an engine has made ready for all its sessions. */
export interface EngineParts {
  readonly config: ResolvedConfig;
  readonly cookies: CookieWriter;
}

/** Why changes of a session are refused. */
export type ReadOnlyReason = "grace" | "unavailable";

/** Whose session it is, before it is saved. */
export interface Binding {
  readonly subject: string;
  readonly label: string | undefined;
}

/**
 * How far a request has come with its session. `unopened`: nobody has looked. `open`: nothing was
 * changed. `closed`: it was committed.
 */
export type SessionStage = "unopened" | "open" | "changed" | "closed";

/** The session of one request, as the engine sees it. */
export abstract class Backing {
  readonly config: ResolvedConfig;
  protected readonly cookies: CookieWriter;
  protected readonly connection: Connection;
  readonly map: SessionMap;
  /** Whether the client brought no session that lives. */
  isNew = true;
  readOnly: ReadOnlyReason | undefined;
  /** Whether no response can carry its cookie, as that of an upgrade: it can only be read. */
  headersOnly = false;
  destroyed = false;
  frozen = false;
  /** From the call of `destroy()` on, unless that fails: nothing else is done to the session. */
  #ending: Promise<void> | undefined;
  protected touched = false;
  protected binding: Binding | undefined;
  /** What this session chose of its own life. */
  protected lifetime: Lifetime = noLifetime;
  /** The same, as it is stored. */
  protected storedLifetime: Lifetime = noLifetime;
  #created: number | undefined;
  /** Made where a call has to wait: most requests have none. */
  #turns: Turns | undefined;
  #closing: Awaitable<ResponseEffects> | undefined;
  #changeListener: (() => void) | undefined;
  #changedOnce = false;
  /** Why no cookie of the session can be sent. */
  #lost: LostReason | undefined;
  /** Whether a commit has failed. */
  #hasFailed = false;

  constructor(parts: EngineParts, connection: Connection) {
    this.config = parts.config;
    this.cookies = parts.cookies;
    this.connection = connection;
    this.map = new SessionMap(parts.config);
  }

  /** Unix milliseconds; a new session is as old as the first question. */
  get created(): number {
    return (this.#created ??= this.newCreated());
  }

  set created(created: number) {
    this.#created = created;
  }

  /** The session's handle, no credential. */
  abstract get id(): string;
  /** Unix milliseconds of the end as things stand; Infinity: none. */
  abstract get expires(): number;
  /** Whether the session is stored already. */
  abstract get stored(): boolean;
  /** Whether anything is to be saved. */
  abstract get changed(): boolean;
  /** Called before every look at the session. */
  touch(): void {
    if (this.touched) return;
    this.touched = true;
    this.openLate();
  }

  /** Opens what opens at the first look alone. */
  protected openLate(): void {
    // A server-side store's session is open already.
  }

  protected abstract replaceCredential(): Awaitable<void>;
  protected abstract end(): Awaitable<void>;
  protected abstract saveChanges(): Awaitable<void>;
  protected abstract finish(): Awaitable<void>;
  /** The Set-Cookie values that are due. */
  protected abstract setCookies(): string[];
  /** Whether saving needs no response to carry it, so that it also works when that has begun. */
  protected abstract readonly savesAlone: boolean;

  /** Seconds, as the configuration's `cookieExpires`. */
  get cookieExpires(): number {
    this.touch();
    return this.lifetime.cookieExpires ?? this.config.cookieExpires;
  }

  set cookieExpires(seconds: number) {
    this.beforeChange();
    this.#choose(withCookieExpires(this.lifetime, seconds));
  }

  /** Seconds, as the configuration's `sessionExpires`. */
  get sessionExpires(): number {
    this.touch();
    return this.lifetime.sessionExpires ?? this.config.sessionExpires;
  }

  set sessionExpires(seconds: number) {
    this.beforeChange();
    this.#choose(withSessionExpires(this.lifetime, seconds, this.config));
  }

  #choose(lifetime: Lifetime): void {
    if (isSameLifetime(lifetime, this.lifetime)) return;
    this.lifetime = lifetime;
    this.noteChange();
  }

  protected get lifetimeChanged(): boolean {
    return !isSameLifetime(this.lifetime, this.storedLifetime);
  }

  /** Whose session it is from the next save on. */
  bind(subject: string, label: string | undefined): void {
    this.#checkName(subject, "subject");
    if (label !== undefined) this.#checkName(label, "label");
    this.beforeChange();
    this.binding = { subject, label };
    this.noteChange();
  }

  #checkName(text: string, what: string): void {
    assertText(text, what);
    const { maxKeyBytes } = this.config;
    const actual = utf8Length(text);
    if (actual > 0 && actual <= maxKeyBytes) return;
    const message = `the ${what} has ${actual} bytes, but must have 1 to maxKeyBytes ${maxKeyBytes}`;
    throw new LimitError("ERR_SESSION_LIMIT_KEY", message, { actual, limit: maxKeyBytes });
  }

  /**
   * Throws when the session can't be changed any more.
   * @throws {UsageError} ERR_SESSION_USAGE_DESTROYED, _READ_ONLY or _HEADERS_SENT
   */
  beforeChange(): void {
    if (this.#ending !== undefined) {
      const message = "the session was destroyed in this request and can't be changed any more";
      throw new UsageError("ERR_SESSION_USAGE_DESTROYED", message);
    }
    if (this.headersOnly) {
      const message =
        "a session that was opened from headers alone is read-only: no response can carry its cookie";
      throw new UsageError("ERR_SESSION_USAGE_READ_ONLY", message);
    }
    if (this.frozen) throw closedError(this.#lost, this.#hasFailed);
    if (this.#hasFailed && this.savesAlone) throw unsavedError("nobody knows what the store holds");
    this.touch();
  }

  /** Tells the one who listens, once, that there is something to save. */
  noteChange(): void {
    this.#changedOnce = true;
    const listener = this.#changeListener;
    this.#changeListener = undefined;
    listener?.();
  }

  /** How far the request has come with the session. */
  get stage(): SessionStage {
    if (this.#closing !== undefined) return "closed";
    return this.#changedOnce ? "changed" : "open";
  }

  /** Calls `listener` once, at the first change. */
  whenChanged(listener: () => void): void {
    if (this.#changedOnce) listener();
    else this.#changeListener = listener;
  }

  /** Drops what isn't saved. */
  discard(): void {
    // What was destroyed goes back to nothing.
    if (this.#ending === undefined) this.dropChanges();
  }

  protected dropChanges(): void {
    this.map.discard();
    this.binding = undefined;
    this.lifetime = this.storedLifetime;
  }

  async regenerate(): Promise<void> {
    // ORDER: whoever listens may find that the client has gone, and then this is refused.
    this.noteChange();
    this.beforeChange();
    await this.#inTurn(() => this.replaceCredential());
  }

  async destroy(): Promise<void> {
    // A second call waits for the first one's end.
    if (this.#ending !== undefined) return this.#ending;
    // ORDER: as in regenerate.
    this.noteChange();
    if (this.headersOnly || (this.frozen && !this.savesAlone)) this.beforeChange();
    this.touch();
    // ORDER: from here on, not from its turn on, or what is called meanwhile would come after it.
    this.#ending = this.#inTurn(() => this.end());
    try {
      await this.#ending;
    } catch (error) {
      this.#ending = undefined;
      throw error;
    }
  }

  async commit(): Promise<void> {
    await this.#inTurn(() => {
      if (!this.frozen && !this.destroyed && this.#writable()) return this.saveChanges();
      return undefined;
    });
  }

  /**
   * The request's end: saves what is due, at once where nothing has to be awaited. A second call
   * gives the same. After one that failed the session is as it was stored: the next call saves what
   * was changed since, or refuses it when that fails, too, and gives what is due in spite of it.
   */
  close(): Awaitable<ResponseEffects> {
    if (this.#closing !== undefined) return this.#closing;
    const isOver = this.frozen || (this.#hasFailed && !this.changed);
    this.frozen = true;
    if (isOver) return (this.#closing = this.effects());
    try {
      const done =
        this.#turns?.areTaken === true ? this.#inTurn(() => this.#finish()) : this.#finish();
      if (!isThenable(done)) return (this.#closing = this.effects());
      return (this.#closing = done.then(
        () => (this.#closing = this.effects()),
        (error: unknown) => this.#failToClose(error),
      ));
    } catch (error) {
      return this.#failToClose(error);
    }
  }

  #failToClose(error: unknown): ResponseEffects {
    if (this.#hasFailed) {
      // What answers the first failure must not fail as well, or it would be answered for ever.
      this.refuse(error instanceof StoreError ? "unavailable" : "uncarried");
      return (this.#closing = this.effects());
    }
    this.#hasFailed = true;
    this.#closing = undefined;
    this.frozen = false;
    this.discard();
    throw error;
  }

  #finish(): Awaitable<void> {
    return this.destroyed || !this.#writable() ? undefined : this.finish();
  }

  /** Refuses what a read-only session was told, and what no client would know of; law L8. */
  #writable(): boolean {
    const { readOnly } = this;
    if (this.headersOnly) return false;
    const lost = this.#lost !== undefined && !this.stored ? this.#lost : undefined;
    const reason = readOnly ?? lost;
    if (reason === undefined) return true;
    if (this.changed) this.refuse(reason);
    return false;
  }

  /**
   * No response will carry the session's cookie: what only a cookie could carry is refused. A
   * server-side store still saves what is changed in a session that its client knows.
   */
  abandon(reason: LostReason): void {
    if (this.frozen || (this.savesAlone && reason === "aborted")) return;
    this.#lost = reason;
    this.frozen = !this.savesAlone;
    const isUnknown = this.savesAlone ? this.stored && this.isNew : this.changed;
    if (isUnknown && !this.destroyed) this.refuse(reason);
  }

  /** What the response owes the client as things stand. */
  effects(): ResponseEffects {
    const isOwed = !this.headersOnly && (this.readOnly === undefined || this.destroyed);
    const setCookie = isOwed ? this.setCookies() : [];
    const vary = this.touched || this.config.vary === "always";
    return { setCookie, vary, noStore: setCookie.length > 0 };
  }

  #inTurn<T>(step: () => Awaitable<T>): Promise<T> {
    return (this.#turns ??= new Turns()).take(step);
  }

  protected refuse(reason: RefusedReason): void {
    this.dropChanges();
    notify(this.config.on, "refused", { id: this.id, reason });
  }

  protected notSaved(): StoreError {
    const message = "the session could not be loaded, so it can't be saved";
    return new StoreError("ERR_SESSION_STORE_FAILED", "save", message);
  }

  /** The idle timeout in milliseconds, for the lifetime that holds now. */
  protected get ttl(): number {
    return idleOf(this.lifetime, this.config);
  }

  /** Unix milliseconds; whole seconds, which is what a sealed session keeps. */
  protected newCreated(): number {
    return Math.floor(this.config.now() / SECOND) * SECOND;
  }

  /** Unix milliseconds of the absolute end of a session that is made now. */
  protected get newDeadline(): number {
    return this.created + this.config.absoluteExpires * SECOND;
  }

  /** Whether the cookie gets Secure: "auto" leaves it out on plain http over loopback alone. */
  protected get secure(): boolean {
    const { secure } = this.config.cookie;
    if (secure !== "auto") return secure;
    return this.connection.secure !== false || this.connection.loopback !== true;
  }
}
