// The draft of one request: its view of the session, and the part of it that isn't saved yet. It
// knows no store and no cookie.
import { isExact } from "../store/contract.ts";
import type { Binding } from "./binding.ts";
import type { ResolvedConfig } from "./config.ts";
import { cookieMaxAge } from "./expiry.ts";
import type { SessionDialect } from "./dialect.ts";
import { MAX_COOKIE_AGE, SECOND } from "../base/time.ts";
import type { Found, ReadOnlyReason } from "./found.ts";
import { idleOf, isSameLifetime, type Lifetime, longestIdle, noLifetime } from "./lifetime.ts";
import { SessionMap } from "./map.ts";

const none: ReadonlyMap<string, string> = new Map();

/** One request's view of its session. */
export class Draft {
  readonly config: ResolvedConfig;
  readonly map: SessionMap;
  /** True if the request has no live session. */
  isNew = true;
  readOnly: ReadOnlyReason | undefined = undefined;
  /** True if an unstored session is to be stored even while it is empty. */
  isStarted = false;
  /** The binding to save next; undefined: unchanged. */
  binding: Binding | undefined = undefined;
  /** The session's own times. */
  lifetime: Lifetime = noLifetime;
  /** The stored ones. */
  storedLifetime: Lifetime = noLifetime;
  #created = -1;
  readonly #dialect: SessionDialect | undefined;

  constructor(config: ResolvedConfig, dialect?: SessionDialect) {
    this.config = config;
    this.#dialect = dialect;
    this.map = new SessionMap(config, config.on.overwritten !== undefined && isExact(config.store));
  }

  /** Takes over a found session. */
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

  /** Chooses the idle timeout that a dialect gives for the data. */
  followData(): void {
    const asked = this.#dialect?.idleSeconds;
    if (asked === undefined) return;
    const seconds = Math.floor(asked(this.map.view) ?? 0);
    const { cookieExpires } = this.lifetime;
    const isOwn = seconds >= 1 && seconds * SECOND < longestIdle(this.lifetime, this.config);
    const sessionExpires = isOwn ? Math.min(seconds, MAX_COOKIE_AGE) : undefined;
    this.choose({ cookieExpires, sessionExpires });
  }

  /** True if a dialect asks for a renewal, whatever the throttle says. */
  get renewsNow(): boolean {
    return this.#dialect?.renewsNow?.() === true;
  }

  /** Begins a new session, without any of the old data. */
  reset(): void {
    this.empty();
    this.#created = -1;
    this.isNew = true;
    this.readOnly = undefined;
    this.lifetime = this.storedLifetime = noLifetime;
  }

  /** Empties the draft: the session was destroyed. */
  empty(): void {
    this.map.load(none);
    this.binding = undefined;
    this.isStarted = false;
  }

  /** Unix milliseconds in whole seconds; of a new session, the instant of the first call. */
  get created(): number {
    if (this.#created < 0) this.#created = Math.floor(this.config.now() / SECOND) * SECOND;
    return this.#created;
  }

  /** Unix milliseconds of the absolute end, if the session is made now; Infinity: none. */
  get deadline(): number {
    return this.created + this.config.absoluteExpires * SECOND;
  }

  /** True if anything is unsaved. */
  get changed(): boolean {
    return this.map.changed || this.binding !== undefined || this.isStarted || this.lifetimeChanged;
  }

  get lifetimeChanged(): boolean {
    return !isSameLifetime(this.lifetime, this.storedLifetime);
  }

  /** True if there is nothing to keep: no key, no subject, and no `start()`. */
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

  /** Chooses times; true if they differ from the ones before. */
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
   * Takes a binding and a lifetime as saved, except for later choices.
   * @param lifetime - the saved one.
   * @param stored - the times in the store now; another request may have chosen some, too.
   */
  settleNotes(binding: Binding | undefined, lifetime: Lifetime, stored: Lifetime): void {
    if (this.binding === binding) this.binding = undefined;
    this.isStarted = false;
    if (isSameLifetime(this.lifetime, lifetime)) this.lifetime = stored;
    this.storedLifetime = stored;
  }
}
