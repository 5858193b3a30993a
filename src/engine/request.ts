// One request's session: the order of its operations, and the end after which they are refused. The
// operations themselves are in operations.ts.
import { StoreError } from "../errors.ts";
import { isThenable, type Awaitable } from "../base/awaitable.ts";
import { toBinding } from "./binding.ts";
import {
  closedError,
  destroyedError,
  type LostReason,
  readOnlyError,
  unsavedError,
} from "./closing.ts";
import type { Connection } from "./connection.ts";
import { CookieEffects } from "./cookie-effects.ts";
import type { RequestDevice } from "./device.ts";
import type { Draft } from "./draft.ts";
import { noEffects, type ResponseEffects, varyOnly } from "./effects.ts";
import type { EngineParts, Keeper } from "./keeper.ts";
import type { ConfiguredLifetime, Lifetime } from "./lifetime.ts";
import type { Edit } from "./map.ts";
import { Operations } from "./operations.ts";
import type { RefusedReason } from "../events.ts";
import { Turns } from "./turns.ts";

/**
 * The stage of a request's session. `unopened`: there was no look at it. `open`: nothing was changed.
 * `closed`: it was committed.
 */
export type SessionStage = "unopened" | "open" | "changed" | "closed";

/** The engine's object for one request's session. */
export class RequestSession {
  /** The engine that made it. */
  readonly owner: object;
  /** The reason that it can only be read, such as an upgrade, whose response carries no cookie. */
  onlyRead: string | undefined = undefined;
  /** True once a page renders behind its head: of changes only flash messages can be taken. */
  flashOnly = false;
  readonly #parts: EngineParts;
  readonly #connection: Connection;
  readonly #keeper: Keeper;
  /** Created at the first look: most requests never look. */
  #operations: Operations | undefined;
  /** The error of every look at the session, once it couldn't be loaded. */
  #failure: Error | undefined;
  #hasChanged = false;
  #changeListener: (() => void) | undefined;
  /** Created when a call has to wait: most requests have none. */
  #turns: Turns | undefined;
  /** Set by `destroy()`, unless that fails: there are no further operations. */
  #destroying: Promise<void> | undefined;
  /** True once the response has begun, or never will. */
  #isFrozen = false;
  /** True once a close has failed. */
  #hasFailed = false;
  /** The effects on the response, once the session is closed. */
  #effects: Awaitable<ResponseEffects> | undefined;

  constructor(owner: object, parts: EngineParts, connection: Connection, keeper: Keeper) {
    this.owner = owner;
    this.#parts = parts;
    this.#connection = connection;
    this.#keeper = keeper;
  }

  /**
   * The draft, for reading. The session opens at the first look.
   * @throws {StoreError} when the session can't be loaded and `onStoreError` is "fail".
   */
  look(): Draft {
    return this.#open().draft;
  }

  #open(): Operations {
    if (this.#operations !== undefined) return this.#operations;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return (this.#operations = new Operations(this.#parts, this.#keeper));
    } catch (error) {
      // ORDER: after a first look without an answer, a second one must not find an empty session.
      throw (this.#failure = error as Error);
    }
  }

  get id(): string {
    this.look();
    return this.#keeper.id;
  }

  /** Unix milliseconds of the session's end, as known now; Infinity: none. */
  get expires(): number {
    const { draft, keeper, changed } = this.#open();
    const moves = keeper.savesAlone ? draft.lifetimeChanged : changed;
    if (keeper.isStored && !moves) return keeper.expires;
    return Math.min(draft.config.now() + draft.ttl, keeper.deadline ?? draft.deadline);
  }

  /** True once the session was destroyed. */
  get isDestroyed(): boolean {
    return this.#operations?.isDestroyed === true;
  }

  /**
   * The draft, for changes.
   * @throws {UsageError} ERR_SESSION_USAGE_DESTROYED, _READ_ONLY or _HEADERS_SENT when it can't be
   * changed any more.
   */
  change(): Draft {
    if (this.#destroying !== undefined) throw destroyedError();
    if (this.onlyRead !== undefined) throw readOnlyError(this.onlyRead);
    if (this.#isFrozen || this.flashOnly)
      throw closedError(this.#operations?.lost, this.#hasFailed);
    if (this.#hasFailed && this.#keeper.savesAlone)
      throw unsavedError("nobody knows what the store holds");
    // A save in the middle has failed: nothing more of this request is saved.
    if (this.#keeper.savesAlone && this.#keeper.broken !== undefined) throw this.#keeper.broken;
    return this.look();
  }

  /** Calls the listener, once, at the first operation that changes the session. */
  noteChange(): void {
    this.#hasChanged = true;
    const listener = this.#changeListener;
    this.#changeListener = undefined;
    listener?.();
  }

  /** Sets the listener that is called once, at the first operation that changes the session. */
  whenChanged(listener: () => void): void {
    if (this.#hasChanged) listener();
    else this.#changeListener = listener;
  }

  /** Removes all keys; on a stored session a barrier. */
  clear(): void {
    const { map } = this.change();
    const { isStored, uncarried } = this.#keeper;
    if (map.clear(isStored || uncarried !== undefined)) this.noteChange();
  }

  /** Binds the session to a subject, with the next save. */
  bind(subject: string, label: string | undefined): void {
    const binding = toBinding(subject, label, this.#parts.config.maxKeyBytes);
    this.change().binding = binding;
    this.noteChange();
  }

  /** Chooses the session's own times. */
  choose(next: (own: Lifetime, configured: ConfiguredLifetime) => Lifetime): void {
    const draft = this.change();
    if (draft.choose(next(draft.lifetime, draft.config))) this.noteChange();
  }

  /** Has the session stored, even while it is empty. */
  start(): void {
    const draft = this.change();
    if (this.#keeper.isStored) return;
    draft.isStarted = true;
    this.noteChange();
  }

  /** The request's device; undefined: sessions can't be bound to any. */
  get device(): RequestDevice | undefined {
    return this.#parts.device;
  }

  /** Edits a key's value; gives the new one. */
  async update(key: string, edit: Edit): Promise<string | undefined> {
    // ORDER: as in regenerate.
    this.noteChange();
    this.change();
    const operations = this.#open();
    return this.#inTurn(() => operations.update(key, edit));
  }

  /** The stage of the session. */
  get stage(): SessionStage {
    if (this.#effects !== undefined) return "closed";
    if (this.#hasChanged) return "changed";
    const isUnopened = this.#operations === undefined && this.#failure === undefined;
    return isUnopened ? "unopened" : "open";
  }

  /** Drops the unsaved changes. */
  discard(): void {
    const draft = this.look();
    // A destroyed session has no saved state to go back to.
    if (this.#destroying === undefined) draft.discard();
  }

  async regenerate(): Promise<void> {
    // ORDER: the listener may find that the client has gone; then this is refused.
    this.noteChange();
    this.change();
    const operations = this.#open();
    await this.#inTurn(() => operations.regenerate());
  }

  async destroy(): Promise<void> {
    // A second call waits for the first one's end.
    if (this.#destroying !== undefined) return this.#destroying;
    // ORDER: as in regenerate.
    this.noteChange();
    const isLate = this.#isFrozen || this.flashOnly;
    if (this.onlyRead !== undefined || (isLate && !this.#keeper.savesAlone)) this.change();
    const operations = this.#open();
    // ORDER: set here, not in its turn, or calls made meanwhile would run after it.
    this.#destroying = this.#inTurn(() => operations.destroy());
    try {
      await this.#destroying;
    } catch (error) {
      this.#destroying = undefined;
      throw error;
    }
  }

  /** Saves the changes; gives the reason of a refusal. */
  async commit(): Promise<RefusedReason | undefined> {
    // Without a look there is nothing to save.
    const operations = this.#operations;
    if (operations === undefined) return undefined;
    return this.#inTurn(() =>
      this.#isFrozen || this.onlyRead !== undefined ? undefined : operations.commit(),
    );
  }

  /** Saves the changes so far, and gives the effects that are due by now; the session stays open. */
  async save(): Promise<ResponseEffects> {
    await this.commit();
    return this.#effects ?? this.#owed();
  }

  /**
   * The request's end: saves, at once if nothing must be awaited. A second call gives the same result.
   * After a failed call the draft is as stored: the next call saves the changes made since, or refuses
   * them if that fails, too, and then gives the effects that are still due.
   */
  close(): Awaitable<ResponseEffects> {
    if (this.#effects !== undefined) return this.#effects;
    const operations = this.#operations;
    const isOver =
      this.#isFrozen ||
      this.onlyRead !== undefined ||
      (this.#hasFailed && operations?.changed === false);
    this.#isFrozen = true;
    if (operations === undefined || isOver) return (this.#effects = this.#owed());
    try {
      const done =
        this.#turns?.areTaken === true
          ? this.#inTurn(() => operations.close())
          : operations.close();
      if (!isThenable(done)) return (this.#effects = this.#owed());
      return (this.#effects = done.then(
        () => (this.#effects = this.#owed()),
        (error: unknown) => this.#failToClose(operations, error),
      ));
    } catch (error) {
      return this.#failToClose(operations, error);
    }
  }

  #failToClose(operations: Operations, error: unknown): ResponseEffects {
    if (this.#hasFailed) {
      // The answer to the first failure must not fail as well, or there would be no end of answers.
      operations.refuse(error instanceof StoreError ? "unavailable" : "uncarried");
      return (this.#effects = this.#owed());
    }
    this.#hasFailed = true;
    this.#isFrozen = false;
    this.#effects = undefined;
    this.discard();
    throw error;
  }

  /**
   * No response will carry the session's cookie: changes that need one are refused. A server-side store
   * still saves changes of a session that its client knows.
   */
  abandon(reason: LostReason): void {
    const { savesAlone, isStored } = this.#keeper;
    const operations = this.#operations;
    if (operations === undefined || this.#isFrozen || (savesAlone && reason === "aborted")) return;
    operations.lost = reason;
    this.#isFrozen = !savesAlone;
    const isUnknown = savesAlone ? isStored && operations.draft.isNew : operations.changed;
    if (isUnknown && !operations.isDestroyed) operations.refuse(reason);
  }

  /** The effects that are due now. */
  #owed(): ResponseEffects {
    const operations = this.#operations;
    if (operations === undefined) {
      const varies = this.#failure !== undefined || this.#parts.config.vary === "always";
      return varies ? varyOnly : noEffects;
    }
    const { draft, isDestroyed } = operations;
    if (this.onlyRead !== undefined || (draft.readOnly !== undefined && !isDestroyed))
      return varyOnly;
    const due = this.#keeper.due();
    const effects =
      due === undefined || due.set.length + due.expire.length === 0
        ? varyOnly
        : new CookieEffects(due, this.#parts, draft, this.#connection);
    return this.#parts.device?.complete(effects, operations) ?? effects;
  }

  #inTurn<T>(step: () => Awaitable<T>): Promise<T> {
    return (this.#turns ??= new Turns()).run(step);
  }
}
