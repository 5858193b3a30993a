// The entry point `kocha-session`; it only exports.
export { applyChange, toSaved, type AppliedChange } from "./store/change.ts";
export { configDefaults, type SessionConfig, type SessionConfigFunction } from "./engine/config.ts";
export { applyEffects, type HeaderAccess, type ResponseEffects } from "./engine/effects.ts";
export { withEffects } from "./engine/response.ts";
export type { ResponseCookie } from "./cookie/attributes.ts";
export type {
  CollapsedEvent,
  ConflictedEvent,
  ConflictReason,
  DeviceEvent,
  DeviceReason,
  OverwrittenEvent,
  RefusedEvent,
  RefusedReason,
  RejectedEvent,
  SessionEvent,
  SessionObservers,
  SkippedEvent,
  StoreCallEvent,
  StoreErrorEvent,
} from "./events.ts";
export { DAY } from "./base/time.ts";
export type { Credential, CredentialFormat, SessionDialect } from "./engine/dialect.ts";
export type { DeviceBinding, DeviceState, OwnAnswer, OwnRequest } from "./engine/device.ts";
export { followRevocations, type FollowOptions } from "./revocations/follower.ts";
export type { Flash } from "./session/flash.ts";
export type { ForeignCookies } from "./cookie/foreign.ts";
export type { ForeignSessions } from "./engine/foreign.ts";
export type { RevocationOptions } from "./revocations/listed.ts";
export { memoryRevocations, type MemoryRevocationsOptions } from "./revocations/memory.ts";
export { destroySession, listSessions, type SessionSummary } from "./session/listing.ts";
export { SessionMiddleware, type SessionConfigSource } from "./session/middleware.ts";
export type { Connection } from "./engine/connection.ts";
export type { Revocations, RevokeSubjectOptions } from "./revocations/revocations.ts";
export { Session } from "./session/session.ts";
export type { Awaitable } from "./base/awaitable.ts";
export type {
  AnySessionStore,
  ListedSession,
  SavedSession,
  SessionChange,
  SessionStore,
  StoreCapabilities,
  StoredSession,
} from "./store/contract.ts";
export { perRequest, type SessionStoreFunction } from "./store/per-request.ts";
export type { RejectedReason } from "./events.ts";
export { type SessionCollection, sessionMap, type SessionMapKey } from "./session/collection.ts";
export { sessionKey, sessionKeys, type SessionKey, type StandardSchema } from "./session/typed.ts";
export type { CookieKey, SigningKey } from "./crypto/keyring.ts";
export {
  ConfigError,
  ConflictError,
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
