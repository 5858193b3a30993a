// The application's session: a string map for one client, with Kocha's five methods and those for the life
// of a session. The request's session behind it is the engine's.
import { type AnyEdit, type AnyKey, incrementKey, nameOf, takeKey, updateKey } from "./exact.ts";
import { Flash } from "./flash.ts";
import { refuseCallback, refuseForeignUse } from "./misuse.ts";
import { withCookieExpires, withSessionExpires } from "../engine/lifetime.ts";
import type { DeviceState } from "../engine/device.ts";
import type { RequestSession } from "../engine/request.ts";
import { assertFree, isReserved } from "../base/reserved.ts";
import { assertText } from "../base/text.ts";
import { decodeTyped, encodeTyped, type SessionKey } from "./typed.ts";

const inspect = Symbol.for("nodejs.util.inspect.custom");

let requestIn: (session: Session) => RequestSession | undefined;

/**
 * A client's session: a map from strings to strings.
 *
 * It records this request's changes; the adapter commits them before the response is sent. Keys and values
 * are well-formed strings: serialize anything else first. It reads as a Map does, without the library's own
 * keys, such as those of flash messages, which count only in the limits.
 * @throws {UsageError} from methods that change it: ERR_SESSION_USAGE_DESTROYED after `destroy()`,
 * ERR_SESSION_USAGE_HEADERS_SENT after the response has begun, ERR_SESSION_USAGE_READ_ONLY if it was
 * opened for an upgrade. Assigning an unknown property is ERR_SESSION_USAGE_FOREIGN.
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

  /** True if the key is present. */
  has(key: string): boolean {
    return this.#valueOf(key) !== undefined;
  }

  /**
   * Sets a key. Setting an equal value is no change.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE for anything but a string,
   * ERR_SESSION_USAGE_MALFORMED for a lone surrogate, ERR_SESSION_USAGE_RESERVED for a key of the
   * library's own.
   * @throws {LimitError} ERR_SESSION_LIMIT_KEY, _KEYS or _SESSION, when this request's view of the
   * session would exceed a limit; then nothing has changed.
   */
  set(key: string, value: string): void {
    assertText(key, "key");
    assertText(value, "value");
    assertFree(key);
    if (this.#request.change().map.set(key, value)) this.#request.noteChange();
  }

  /**
   * Removes a key; removing an absent one is no change.
   * @throws {UsageError} ERR_SESSION_USAGE_RESERVED for a key of the library's own.
   */
  del(key: string): void {
    this.delete(key);
  }

  /**
   * As `del`.
   * @returns true if the key was present.
   */
  delete(key: string): boolean {
    assertFree(key);
    const isRemoved = this.#request.change().map.del(key);
    if (isRemoved) this.#request.noteChange();
    return isRemoved;
  }

  /** Removes all keys, including flash messages. On a stored session it is a barrier: law L3. */
  clear(): void {
    this.#request.clear();
  }

  /** The number of keys. */
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
   * A copy of the entries as a plain object, which can be passed to a React client component. Each key,
   * even "__proto__", is an own property; test for one by `Object.hasOwn`, since the object has a
   * prototype.
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
   * @returns undefined if the value is absent or doesn't fit the key's schema.
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
   * Computes a key's new value from its current one, in one step at the store: each of several concurrent
   * updates sees the result of the one before it, and none is lost. Saved when awaited, with the changes so
   * far. Cookies have no such step: there it edits the value that this request sees.
   * @param edit - from the value, undefined if absent, to the new one; null removes the key. It must
   * return at once and have no side effects, since it runs again on the newer value when another request
   * was faster.
   * @returns the stored value; undefined: none.
   * @throws {ConflictError} when nothing of it was saved: ERR_SESSION_CONFLICT_STALE,
   * ERR_SESSION_CONFLICT_GRACE, ERR_SESSION_CONFLICT_DEVICE or ERR_SESSION_CONFLICT_CONTENDED.
   * @throws {UsageError} ERR_SESSION_USAGE_UPDATE when `edit` gives undefined or a promise; and as `set`.
   * @throws {LimitError} as `set`; ERR_SESSION_LIMIT_COOKIE when it doesn't fit the cookie.
   * @throws {StoreError} when the store fails: then the outcome is unknown, and it isn't tried again.
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
   * Adds to a whole number, as `update` does; an absent key counts as 0.
   * @param by - a safe whole number, which may be negative.
   * @returns the stored sum.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE when `by`, the key's value or the sum is no safe whole
   * number.
   * @throws as `update`
   */
  async increment(key: string, by: number = 1): Promise<number> {
    assertFree(nameOf(key));
    return incrementKey(this.#request, key, by);
  }

  /**
   * Removes a key and gives its value, to only one of several concurrent requests; the others get
   * undefined. For values that may be used once: an OAuth state, a form's token. Saved when awaited, with
   * the changes so far.
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
   * Has a new session stored even while it is empty. For a page with forms that may be sent at the same
   * time: two first writes of a client without a session make two sessions, and one is lost.
   */
  start(): void {
    this.#request.start();
  }

  /**
   * Replaces the credential and keeps the data: at login, and wherever privileges change (ASVS
   * 7.2.4). Saved when awaited, with the changes so far; a session that isn't stored yet stays so.
   * If it is refused, since the session was cleared, regenerated or destroyed meanwhile, the request
   * continues with a new session without the old data.
   * @throws {StoreError} when the store fails.
   * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN for a callback, at once.
   */
  regenerate(): Promise<void>;
  regenerate(...callback: readonly unknown[]): Promise<void> {
    refuseCallback("regenerate", callback);
    return this.#request.regenerate();
  }

  /**
   * Ends the session, at the store when awaited, and any other in the request's cookies, such as one from
   * before the cookie's path or domain was changed. Changes throw from the call on; once it has ended,
   * `get` gives "".
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

  /** Drops the unsaved changes. */
  discard(): void {
    this.#request.discard();
  }

  /**
   * Binds the session to a user, with the next save; regenerate it in the same request.
   * @param subject - the user's stable id, 1 to `maxKeyBytes` bytes of UTF-8.
   * @param options - `label`: a text for lists of sessions, such as the device; kept by stores that list.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE or _MALFORMED
   * @throws {LimitError} ERR_SESSION_LIMIT_KEY
   */
  bind(subject: string, options?: { readonly label?: string | undefined }): void {
    this.#request.bind(subject, options?.label);
  }

  /**
   * Makes the response offer to bind the session to the browser's device: call it at login, or on the login
   * page. Browsers without Device Bound Session Credentials ignore the offer. A new session is stored even
   * while it is empty. Nothing is offered if the session is bound already. Without `deviceBinding` in the
   * configuration it does nothing at all.
   */
  bindDevice(): void {
    // Without an offer there is nothing to keep a session for: law L6.
    this.#request.device?.offer(this.#request);
  }

  /**
   * "none": not bound to a device. "bound": the request comes from the device. "stale": nothing shows that;
   * unless `stale` is "report", the session then reads as empty and is read-only.
   */
  get device(): DeviceState {
    return this.#request.device?.stateOf(this.#request.look()) ?? "none";
  }

  /** The session's handle, which survives `regenerate`: safe to log and to list, no credential. */
  get id(): string {
    return this.#request.id;
  }

  /** True if the client brought no live session. */
  get isNew(): boolean {
    return this.#request.look().isNew;
  }

  /** The instant of the session's creation, in whole seconds. */
  get createdAt(): Date {
    return new Date(this.#request.look().created);
  }

  /** The session's end unless it is renewed; undefined: never. */
  get expiresAt(): Date | undefined {
    const { expires } = this.#request;
    return expires === Infinity ? undefined : new Date(expires);
  }

  /**
   * True if changes can't be saved: opened for an upgrade, the old credential's grace, no store, a stale
   * device.
   */
  get readOnly(): boolean {
    return this.#request.look().readOnly !== undefined || this.#request.onlyRead !== undefined;
  }

  /** True if the store didn't answer and `onStoreError` is "anonymous". */
  get unavailable(): boolean {
    return this.#request.look().readOnly === "unavailable";
  }

  /**
   * The lifetime of this session's cookie in the browser, in seconds; -1: persistent; 0: until the browser
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

  /** The part of a session that may be shown: never a value, never a credential. */
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

/** The request's session behind a session; undefined for one of another copy of the library. */
export function requestOf(session: Session): RequestSession | undefined {
  return requestIn(session);
}
