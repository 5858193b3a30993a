// The session as an application sees it: a string map for one client, Kocha's five words and what
// the life of a session needs. The request's session behind it is the engine's.
import { type AnyEdit, type AnyKey, incrementKey, nameOf, takeKey, updateKey } from "./exact.ts";
import { Flash } from "./flash.ts";
import { refuseCallback, refuseForeignUse } from "./misuse.ts";
import { withCookieExpires, withSessionExpires } from "../engine/lifetime.ts";
import type { RequestSession } from "../engine/request.ts";
import { assertFree, isReserved } from "../base/reserved.ts";
import { assertText } from "../base/text.ts";
import { decodeTyped, encodeTyped, type SessionKey } from "./typed.ts";

const inspect = Symbol.for("nodejs.util.inspect.custom");

let requestIn: (session: Session) => RequestSession | undefined;

/**
 * A client's session: a map from strings to strings.
 *
 * It records what this request changes; the adapter commits it before the response leaves. Keys
 * and values are well-formed strings: serialize anything else first. It reads as a Map does, without
 * the keys of the library's own, such as those of flash messages: they are counted in the limits only.
 * @throws {UsageError} from whatever changes it: ERR_SESSION_USAGE_DESTROYED after `destroy()`,
 * ERR_SESSION_USAGE_HEADERS_SENT after the response has begun, ERR_SESSION_USAGE_READ_ONLY when it
 * was opened for an upgrade. Assigning a property that it hasn't is ERR_SESSION_USAGE_FOREIGN.
 */
export class Session {
  readonly #request: RequestSession;
  #flash: Flash | undefined;

  static {
    refuseForeignUse(Session.prototype, (value) => #request in value);
    requestIn = (session) => (#request in session ? session.#request : undefined);
  }

  /** @internal */
  constructor(request: RequestSession) {
    this.#request = request;
  }

  /** The value of a key; "" when it is absent, as in Kocha. */
  get(key: string): string {
    return this.#valueOf(key) ?? "";
  }

  /** Whether the key is there. */
  has(key: string): boolean {
    return this.#valueOf(key) !== undefined;
  }

  /**
   * Sets a key. Setting an equal value is no change.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE for what isn't a string,
   * ERR_SESSION_USAGE_MALFORMED for a lone surrogate, ERR_SESSION_USAGE_RESERVED for a key of the
   * library's own.
   * @throws {LimitError} ERR_SESSION_LIMIT_KEY, _KEYS or _SESSION, when this request's view of the
   * session would go past a limit; then nothing has changed.
   */
  set(key: string, value: string): void {
    assertText(key, "key");
    assertText(value, "value");
    assertFree(key);
    if (this.#request.change().map.set(key, value)) this.#request.noteChange();
  }

  /**
   * Removes a key, whether or not it is there.
   * @throws {UsageError} ERR_SESSION_USAGE_RESERVED for a key of the library's own.
   */
  del(key: string): void {
    this.delete(key);
  }

  /**
   * As `del`.
   * @returns whether the key was there.
   */
  delete(key: string): boolean {
    assertFree(key);
    const isRemoved = this.#request.change().map.del(key);
    if (isRemoved) this.#request.noteChange();
    return isRemoved;
  }

  /** Removes all keys, flash messages too. On a stored session it is a barrier: law L3. */
  clear(): void {
    this.#request.clear();
  }

  /** How many keys there are. */
  get size(): number {
    let size = 0;
    for (const key of this.#read().keys()) if (!isReserved(key)) size++;
    return size;
  }

  /** The keys. */
  *keys(): IterableIterator<string> {
    for (const [key] of this) yield key;
  }

  /** The values. */
  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value;
  }

  /** The entries. */
  *entries(): IterableIterator<[string, string]> {
    for (const entry of this.#read()) if (!isReserved(entry[0])) yield entry;
  }

  /** The entries. */
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  /** Calls `callback` for each entry. */
  forEach(callback: (value: string, key: string, session: this) => void, self?: unknown): void {
    for (const [key, value] of this) callback.call(self, value, key, this);
  }

  /**
   * A copy of the entries as a plain object, which can be passed on to a component of React's on the
   * client. Each key is a property of its own, also "__proto__"; ask for one by `Object.hasOwn`, since
   * the object has a prototype.
   */
  toObject(): Record<string, string> {
    return Object.fromEntries(this);
  }

  /** Messages for the next page, read once: kept under `_flash.` and counted in the limits. */
  get flash(): Flash {
    return (this.#flash ??= new Flash(this.#request));
  }

  /**
   * The typed value of a key.
   * @returns undefined for what is absent or doesn't fit the key's schema.
   * @throws {UsageError} ERR_SESSION_USAGE_ASYNC_SCHEMA
   */
  read<Output>(key: SessionKey<unknown, Output>): Output | undefined {
    return decodeTyped(key, this.#valueOf(key.name));
  }

  /**
   * Sets a typed value as JSON.
   * @throws {UsageError} ERR_SESSION_USAGE_SCHEMA when the value doesn't fit, and as `set`.
   */
  write<Input>(key: SessionKey<Input, unknown>, value: NoInfer<Input>): void {
    this.set(key.name, encodeTyped(key, value));
  }

  /**
   * Changes one key by what it holds, as one step at the store: of updates at once each sees the one
   * before it, and none is lost. Saved when awaited, with the changes so far. In cookies there is no
   * such step: it changes what this request sees.
   * @param edit - from the value, undefined when it is absent, to the new one; null removes the key. It
   * runs again on what is there by then when another request was faster, so it does nothing else, and
   * answers at once.
   * @returns what is stored then; undefined: nothing.
   * @throws {ConflictError} when nothing of it was saved: ERR_SESSION_CONFLICT_STALE,
   * ERR_SESSION_CONFLICT_GRACE or ERR_SESSION_CONFLICT_CONTENDED.
   * @throws {UsageError} ERR_SESSION_USAGE_UPDATE when `edit` gives undefined or a promise; and as `set`.
   * @throws {LimitError} as `set`; ERR_SESSION_LIMIT_COOKIE when it doesn't fit the cookie.
   * @throws {StoreError} when the store fails: then nobody knows whether it was saved, and it is not
   * tried again.
   */
  update(
    key: string,
    edit: (value: string | undefined) => string | null,
  ): Promise<string | undefined>;
  update<Input, Output>(
    key: SessionKey<Input, Output>,
    edit: (value: Output | undefined) => NoInfer<Input> | null,
  ): Promise<Output | undefined>;
  async update(key: AnyKey, edit: AnyEdit): Promise<unknown> {
    assertFree(nameOf(key));
    return updateKey(this.#request, key, edit);
  }

  /**
   * Adds to a whole number as `update` does; a key that is absent counts as 0.
   * @param by - a safe whole number, also below 0.
   * @returns the number that is stored then.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE when `by`, the key's value or the sum is no safe whole
   * number.
   * @throws as `update`
   */
  async increment(key: string, by: number = 1): Promise<number> {
    assertFree(nameOf(key));
    return incrementKey(this.#request, key, by);
  }

  /**
   * Removes a key and gives what it held, to one request only; of others at once each gets undefined.
   * For what may be used once: an OAuth state, a form's token. Saved when awaited, with the changes so
   * far.
   * @throws {UsageError} ERR_SESSION_USAGE_STORE over cookies, which a client can put back, and over a
   * store that doesn't promise it.
   * @throws as `update`; then nobody may use the value.
   */
  take(key: string): Promise<string | undefined>;
  take<Output>(key: SessionKey<unknown, Output>): Promise<Output | undefined>;
  async take(key: AnyKey): Promise<unknown> {
    assertFree(nameOf(key));
    return takeKey(this.#request, key);
  }

  /**
   * Has a session stored that is new, also with nothing in it. For a page whose forms may be sent at
   * once: two first writes of a client without a session make two sessions, and one is lost.
   */
  start(): void {
    this.#request.start();
  }

  /**
   * Replaces the credential and keeps the data: at login, and wherever privileges change (ASVS
   * 7.2.4). Saved when awaited, with the changes so far; a session that isn't stored yet stays so.
   * Refused because the session was cleared, regenerated or destroyed meanwhile, the request goes
   * on with a fresh session that never holds the old data.
   * @throws {StoreError} when the store fails.
   * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN for a callback, at once.
   */
  regenerate(): Promise<void>;
  regenerate(...callback: readonly unknown[]): Promise<void> {
    refuseCallback("regenerate", callback);
    return this.#request.regenerate();
  }

  /**
   * Ends the session, at the store when awaited, and any other that the request's cookies hold, as
   * they may after the cookie's path or domain has changed. Changes throw from the call on; when it
   * is done, `get` gives "".
   * @throws {StoreError} when the store fails; the session may live on.
   * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN for a callback, at once.
   */
  destroy(): Promise<void>;
  destroy(...callback: readonly unknown[]): Promise<void> {
    refuseCallback("destroy", callback);
    return this.#request.destroy();
  }

  /**
   * Saves the changes now; adapters do it at the end anyway.
   * @throws {StoreError} when the store fails.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE when it doesn't fit the cookie.
   */
  async commit(): Promise<void> {
    await this.#request.commit();
  }

  /** Drops the changes that aren't saved. */
  discard(): void {
    this.#request.discard();
  }

  /**
   * Says whose session it is, from the next save on; regenerate it in the same request.
   * @param subject - the user's stable id, 1 to `maxKeyBytes` bytes of UTF-8.
   * @param options - `label`: what a list of sessions shows, such as the device; kept by stores
   * that list.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE or _MALFORMED
   * @throws {LimitError} ERR_SESSION_LIMIT_KEY
   */
  bind(subject: string, options?: { readonly label?: string | undefined }): void {
    this.#request.bind(subject, options?.label);
  }

  /** The session's handle, which survives `regenerate`: safe to log and to list, no credential. */
  get id(): string {
    return this.#request.id;
  }

  /** Whether the client brought no session that lives. */
  get isNew(): boolean {
    return this.#request.look().isNew;
  }

  /** When the session was made, in whole seconds. */
  get createdAt(): Date {
    return new Date(this.#request.look().created);
  }

  /** When the data dies unless it is renewed; undefined: never. */
  get expiresAt(): Date | undefined {
    const { expires } = this.#request;
    return expires === Infinity ? undefined : new Date(expires);
  }

  /** Whether changes are not saved: opened for an upgrade, the old credential's grace, no store. */
  get readOnly(): boolean {
    return this.#request.look().readOnly !== undefined || this.#request.headersOnly;
  }

  /** Whether the store didn't answer and `onStoreError` is "anonymous". */
  get unavailable(): boolean {
    return this.#request.look().readOnly === "unavailable";
  }

  /**
   * How long the browser keeps this session's cookie, in seconds; -1: persistent; 0: until the browser
   * is closed. It is saved with the session. With `sessionExpires` it makes "remember me".
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE for anything except whole seconds up to 400 days, -1
   * or 0.
   */
  get cookieExpires(): number {
    const { lifetime, config } = this.#request.look();
    return lifetime.cookieExpires ?? config.cookieExpires;
  }

  set cookieExpires(seconds: number) {
    this.#request.choose((own) => withCookieExpires(own, seconds));
  }

  /**
   * This session's own idle timeout, in seconds, at most the configuration's; 0: the configuration's
   * again. It is saved with the session.
   * @throws {UsageError} ERR_SESSION_USAGE_LIFETIME for a longer one, ERR_SESSION_USAGE_TYPE for
   * anything except whole seconds, -1 (where the configuration has none) or 0.
   */
  get sessionExpires(): number {
    const { lifetime, config } = this.#request.look();
    return lifetime.sessionExpires ?? config.sessionExpires;
  }

  set sessionExpires(seconds: number) {
    this.#request.choose((own, configured) => withSessionExpires(own, seconds, configured));
  }

  /** What may be shown of a session: never a value, never a credential. */
  toJSON(): { id: string; isNew: boolean; size: number } {
    return { id: this.id, isNew: this.isNew, size: this.size };
  }

  /** @internal */
  [inspect](): string {
    return `Session ${JSON.stringify(this)}`;
  }

  #valueOf(key: string): string | undefined {
    const value = this.#request.look().map.read(key);
    return value === undefined || isReserved(key) ? undefined : value;
  }

  #read(): ReadonlyMap<string, string> {
    return this.#request.look().map.view;
  }
}

/** The request's session behind a session; undefined when this copy of the library made none. */
export function requestOf(session: Session): RequestSession | undefined {
  return requestIn(session);
}
