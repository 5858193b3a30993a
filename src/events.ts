// The observers configured by `on`, and their events. An event carries ids, names and reasons from closed
// lists, never a credential or a value.
import type { SessionErrorCode, StoreError, StoreOperation } from "./errors.ts";

/**
 * The reason that a change was not saved.
 * `stale`: the session was cleared, regenerated or destroyed meanwhile. `grace`: the request still had
 * the credential that a regenerate replaced. `unavailable`: the store did not answer. `aborted`: the
 * client had gone before the response was sent, and only its cookie could have carried the change.
 * `uncarried`: only a cookie could have carried the change, and no response took one: the answer was
 * begun without the host, or there is none, or the host made it from an error by itself; or the change
 * was made after a failed commit, and is too large for the cookie. `contended`: an `update`, `increment`
 * or `take` lost against others too often, or would have waited for them too long; the request's other
 * changes are still to be saved. `device`: the session is bound to a device, and nothing shows that the
 * request comes from there.
 */
export type RefusedReason =
  | "stale"
  | "grace"
  | "unavailable"
  | "aborted"
  | "uncarried"
  | "contended"
  | "device";

/** The reason that a client's cookie is no session: a closed list, for observers. */
export type RejectedReason =
  | "malformed"
  | "version"
  | "unknown-key"
  | "forged"
  | "expired"
  | "future"
  | "unknown"
  | "retired"
  | "revoked"
  | "incomplete"
  | "header-too-large"
  | "device";

/** The reason that an `update`, `increment` or `take` is a ConflictError. */
export type ConflictReason = Extract<RefusedReason, "stale" | "grace" | "contended" | "device">;

/** An event about one session. */
export interface SessionEvent {
  /** The session's handle; no credential. */
  readonly id: string;
}

/** A change that was not saved. */
export interface RefusedEvent extends SessionEvent {
  readonly reason: RefusedReason;
}

/** An `update`, `increment` or `take` that is a ConflictError. */
export interface ConflictedEvent extends SessionEvent {
  readonly reason: ConflictReason;
}

/** A client's cookie that is not a session. */
export interface RejectedEvent {
  readonly reason: RejectedReason;
}

/**
 * An event between a session and its device, with `deviceBinding`.
 * `offered`: a response offered to bind the session. `registered`: a browser made a key for it. `bound`: that
 * key proved itself, and the session is bound from here on. `refreshed`: it proved itself again.
 * `challenged`: a refresh brought no good proof, and the browser was asked for one. `settled`: the refresh
 * also replaced the credential, so that copies from before the binding end. `stale`: a bound session's
 * request brought no good device cookie. `ended`: the browser was told to forget its key. `refused`: a
 * registration was refused, or a binding could not be saved.
 */
export interface DeviceEvent {
  /** The session's handle; undefined where the request names none of ours. */
  readonly id: string | undefined;
  readonly what:
    | "offered"
    | "registered"
    | "bound"
    | "refreshed"
    | "challenged"
    | "settled"
    | "stale"
    | "ended"
    | "refused";
  /** The reason of `challenged`, `stale`, `ended` and `refused`: a closed list. */
  readonly why?: DeviceReason | undefined;
}

/**
 * The reason of a `DeviceEvent`. Of a device cookie: `missing`, `expired`, `forged`, which is also that of
 * another session or key. Of a proof: `none`, `malformed`, `key` (one that isn't accepted, or one in a
 * refresh), `challenge` (not ours, of another session, or too old), `signature`, `script` (a script in a page
 * sent it). Of an end or a refusal: `unknown` (an identifier that isn't ours), `session` (the request's
 * session is another one), `gone` (it has ended), `bound` (to another key), `limit` (the session is too full
 * to be bound), `stale` (a clear, regenerate or destroy was faster).
 */
export type DeviceReason =
  | "missing"
  | "expired"
  | "forged"
  | "none"
  | "malformed"
  | "key"
  | "challenge"
  | "signature"
  | "script"
  | "unknown"
  | "session"
  | "gone"
  | "bound"
  | "limit"
  | "stale";

/** The parts of a merging session had too many bytes, and one replaced them. */
export interface CollapsedEvent extends SessionEvent {
  /** The bytes that the session's cookies would have taken of the Cookie header. */
  readonly bytes: number;
}

/** Entries of another library's cookie that were left out while it was read. */
export interface SkippedEvent extends SessionEvent {
  /** The names of the omitted entries, including keys that are reserved here. */
  readonly keys: readonly string[];
}

/** A newer value of another request was overwritten. */
export interface OverwrittenEvent extends SessionEvent {
  /** The names of the keys. */
  readonly keys: readonly string[];
}

/** The store failed. */
export interface StoreErrorEvent {
  readonly operation: StoreOperation;
  readonly error: StoreError;
}

/** A call of the store has ended, or was given up. */
export interface StoreCallEvent {
  /** The handle of the session that was asked for; undefined where that isn't known before the answer. */
  readonly id: string | undefined;
  readonly operation: StoreOperation;
  /** Milliseconds until the answer, or until the call was given up. */
  readonly ms: number;
  /**
   * "ok": the store answered, also with a refusal; otherwise the code of the error: of a StoreError, or
   * of the LimitError with which a cookie store refuses what doesn't fit.
   */
  readonly outcome: "ok" | SessionErrorCode;
}

/** The events and what each observer gets; an observer that throws fails nothing. */
export interface SessionObservers {
  /** A stored session was found. */
  opened?(event: SessionEvent): void;
  /** A new session was saved for the first time. */
  created?(event: SessionEvent): void;
  /** The idle timeout began anew, and the cookie was sent again. */
  renewed?(event: SessionEvent): void;
  /** The credential was replaced; changes that were saved with it are `committed` too. */
  regenerated?(event: SessionEvent): void;
  /** A change was saved. */
  committed?(event: SessionEvent): void;
  /** A change was not saved. */
  refused?(event: RefusedEvent): void;
  /** An `update`, `increment` or `take` was a ConflictError; the change is `refused`, too. */
  conflicted?(event: ConflictedEvent): void;
  /**
   * A request read a key and then set or removed it, and so overwrote a newer value of another request;
   * `update` does both in one step. With an observer, and a store that `expects`, each case costs one more
   * load and save. Listing or iterating keys doesn't count as reading them.
   */
  overwritten?(event: OverwrittenEvent): void;
  /** A merging session's parts were replaced by one. */
  collapsed?(event: CollapsedEvent): void;
  /** `destroy()` ended the session; one event for each session of the request. */
  destroyed?(event: SessionEvent): void;
  /** A cookie of ours was not accepted. */
  rejected?(event: RejectedEvent): void;
  /** An event between a session and its device. */
  device?(event: DeviceEvent): void;
  /** Entries of a foreign cookie were left out. */
  skipped?(event: SkippedEvent): void;
  /** The store failed; the error is thrown, too, or handled by `onStoreError`. */
  storeError?(event: StoreErrorEvent): void;
  /**
   * The engine's call of the store has ended. Calls are timed only with an observer; a cookie store is
   * called to open and to seal.
   */
  storeCall?(event: StoreCallEvent): void;
}

/** Every event's name, for the check of `on`. */
export const eventNames: readonly (keyof SessionObservers)[] = [
  "opened",
  "created",
  "renewed",
  "regenerated",
  "committed",
  "refused",
  "conflicted",
  "overwritten",
  "collapsed",
  "destroyed",
  "rejected",
  "device",
  "skipped",
  "storeError",
  "storeCall",
];

/** Calls one observer; its errors and rejections are ignored. */
export function notify<Name extends keyof SessionObservers>(
  observers: SessionObservers,
  name: Name,
  event: Parameters<NonNullable<SessionObservers[Name]>>[0],
): void {
  const observer = observers[name] as ((event: unknown) => unknown) | undefined;
  if (observer === undefined) return;
  try {
    const answer = observer.call(observers, event);
    if (answer instanceof Promise) answer.catch(() => undefined);
  } catch {
    // An observer that throws fails nothing.
  }
}
