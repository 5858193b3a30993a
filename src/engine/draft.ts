// The draft of one request: its view of the session, and the part of it that isn't saved yet. It
// knows no store and no cookie.
import type { Binding } from "./binding.ts";
import type { ResolvedConfig } from "./config.ts";
import { cookieMaxAge } from "./expiry.ts";
import type { SessionDialect } from "./dialect.ts";
import { MAX_COOKIE_AGE, SECOND } from "../base/time.ts";
import { idleOf, isSameLifetime, type Lifetime, longestIdle, noLifetime } from "./lifetime.ts";
import { SessionMap } from "./map.ts";

/** Why changes of a session are refused. */
export type ReadOnlyReason = "grace" | "unavailable";

/** A request's session as its keeper found it. */
export interface Found {
  readonly data: ReadonlyMap<string, string>;
  /** Unix milliseconds; absent: not known. */
  readonly created?: number | undefined;
  readonly lifetime: Lifetime;
  /** Why it reads as empty and can only be ended; absent: it lives. */
  readonly readOnly?: ReadOnlyReason | undefined;
}

/** A session of which nobody can say what became. */
export const unavailable: Found = {
  data: new Map(),
  lifetime: noLifetime,
  readOnly: "unavailable",
};

const none: ReadonlyMap<string, string> = new Map();

/** What one request sees of its session. */
export class Draft {
  readonly config: ResolvedConfig;
  readonly map: SessionMap;
  /** Whether the client brought no session that lives. */
  isNew = true;
  readOnly: ReadOnlyReason | undefined = undefined;
  /** Whether a session that isn't stored is to be, also with nothing in it. */
  isStarted = false;
  /** Whose session it is from the next save on; undefined: unchanged. */
  binding: Binding | undefined = undefined;
  /** The session's own times. */
  lifetime: Lifetime = noLifetime;
  /** The same, as they are stored. */
  storedLifetime: Lifetime = noLifetime;
  #created = -1;
  readonly #dialect: SessionDialect | undefined;

  constructor(config: ResolvedConfig, dialect?: SessionDialect) {
    this.config = config;
    this.#dialect = dialect;
    this.map = new SessionMap(config, config.tellsOverwritten);
  }

  /** Takes over a session that was found. */
  load({ data, created, lifetime, readOnly }: Found): void {
    if (created !== undefined) this.#created = created;
    if (readOnly !== undefined) {
      this.readOnly = readOnly;
      return;
    }
    this.isNew = false;
    this.lifetime = this.storedLifetime = lifetime;
    this.map.load(data);
    this.followData();
  }

  /** Chooses the idle timeout that the data asks for, where a dialect says so. */
  followData(): void {
    const asked = this.#dialect?.idleSeconds;
    if (asked === undefined) return;
    const seconds = Math.floor(asked(this.map.view) ?? 0);
    const { cookieExpires } = this.lifetime;
    const isOwn = seconds >= 1 && seconds * SECOND < longestIdle(this.lifetime, this.config);
    const sessionExpires = isOwn ? Math.min(seconds, MAX_COOKIE_AGE) : undefined;
    this.choose({ cookieExpires, sessionExpires });
  }

  /** Whether a renewal is due whatever the throttle says. */
  get renewsNow(): boolean {
    return this.#dialect?.renewsNow?.() === true;
  }

  /** Begins a session that holds only what is set from now on, never the old data. */
  reset(): void {
    this.empty();
    this.#created = -1;
    this.isNew = true;
    this.readOnly = undefined;
    this.lifetime = this.storedLifetime = noLifetime;
  }

  /** Holds nothing any more: the session was ended. */
  empty(): void {
    this.map.load(none);
    this.binding = undefined;
    this.isStarted = false;
  }

  /** Unix milliseconds in whole seconds; a new session is as old as the first question. */
  get created(): number {
    if (this.#created < 0) this.#created = Math.floor(this.config.now() / SECOND) * SECOND;
    return this.#created;
  }

  /** Unix milliseconds of the absolute end, if the session is made now; Infinity: none. */
  get deadline(): number {
    return this.created + this.config.absoluteExpires * SECOND;
  }

  /** Whether anything isn't saved. */
  get changed(): boolean {
    return this.map.changed || this.binding !== undefined || this.isStarted || this.lifetimeChanged;
  }

  get lifetimeChanged(): boolean {
    return !isSameLifetime(this.lifetime, this.storedLifetime);
  }

  /** Whether there is nothing to keep: no key, no subject, and nobody has started it. */
  get isEmpty(): boolean {
    return this.map.view.size === 0 && this.binding === undefined && !this.isStarted;
  }

  /** The idle timeout in milliseconds; Infinity: none. */
  get ttl(): number {
    return idleOf(this.lifetime, this.config);
  }

  /** The cookie's lifetime in seconds; undefined: a browser-session cookie. */
  get maxAge(): number | undefined {
    return cookieMaxAge(this.lifetime.cookieExpires ?? this.config.cookieExpires);
  }

  /** Chooses times; gives whether they are others than before. */
  choose(lifetime: Lifetime): boolean {
    if (isSameLifetime(lifetime, this.lifetime)) return false;
    this.lifetime = lifetime;
    return true;
  }

  /** Drops what isn't saved. */
  discard(): void {
    this.map.discard();
    this.binding = undefined;
    this.isStarted = false;
    this.lifetime = this.storedLifetime;
  }

  /** Takes all of it as saved. */
  settle(): void {
    this.map.settle();
    this.binding = undefined;
    this.isStarted = false;
    this.storedLifetime = this.lifetime;
  }

  /**
   * Takes a binding and a lifetime as saved; what was chosen since then still isn't.
   * @param lifetime - the one that was saved.
   * @param stored - the times that the store holds now; another request may have chosen some too.
   */
  settleNotes(binding: Binding | undefined, lifetime: Lifetime, stored: Lifetime): void {
    if (this.binding === binding) this.binding = undefined;
    this.isStarted = false;
    if (isSameLifetime(this.lifetime, lifetime)) this.lifetime = stored;
    this.storedLifetime = stored;
  }
}
