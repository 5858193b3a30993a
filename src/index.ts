// What `kocha-session` exports; nothing else lives here.
export { applyChange, toSaved, type AppliedChange } from "./core/change.ts";
export { configDefaults, type SessionConfig } from "./core/config.ts";
export type { ResponseEffects } from "./core/effects.ts";
export type {
  CollapsedEvent,
  RefusedEvent,
  RefusedReason,
  RejectedEvent,
  SessionEvent,
  SessionObservers,
  SkippedEvent,
  StoreErrorEvent,
} from "./core/events.ts";
export { DAY } from "./core/expiry.ts";
export { followRevocations, type FollowOptions } from "./core/follower.ts";
export type { Flash } from "./core/flash.ts";
export type { ForeignCookies, ForeignSession } from "./core/foreign.ts";
export type { RevocationOptions } from "./core/listed-revocations.ts";
export { memoryRevocations, type MemoryRevocationsOptions } from "./core/memory-revocations.ts";
export { destroySession, listSessions, type SessionSummary } from "./core/listing.ts";
export { SessionMiddleware } from "./core/middleware.ts";
export type { Connection } from "./core/connection.ts";
export {
  mergeRecords,
  toRecord,
  type EndingSession,
  type AppendedRevocation,
  type RevocationEntry,
  type RevocationKind,
  type RevocationLog,
  type RevocationPage,
  type RevocationRecord,
  type Revocations,
  type RevokeSubjectOptions,
  type SessionLimits,
} from "./core/revocations.ts";
export { Session } from "./core/session.ts";
export type {
  Awaitable,
  Cookie,
  ListedSession,
  OpenedSession,
  RejectedReason,
  RevocableSession,
  RevocationVerdict,
  SavedSession,
  SealedChange,
  SealedContext,
  SealedCookie,
  SealedRemains,
  SealedSessionStore,
  SealedWrite,
  SessionChange,
  SessionStore,
  StoreCapabilities,
  StoredSession,
} from "./core/store.ts";
export { sessionKey, type SessionKey, type StandardSchema } from "./core/typed.ts";
export type { CookieKey, SigningKey } from "./crypto/keyring.ts";
export {
  ConfigError,
  isSessionError,
  LimitError,
  SessionError,
  StoreError,
  UsageError,
  type AnySessionError,
  type KeySize,
  type SessionErrorCode,
  type StoreOperation,
} from "./errors.ts";
export { SessionCookieStore, type SessionCookieStoreOptions } from "./stores/cookie.ts";
export { SessionMemoryStore, type SessionMemoryStoreOptions } from "./stores/memory.ts";
