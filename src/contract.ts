// The entry point kocha-session/contract: helpers for authors of revocation logs and of sealed stores; the
// types of a store are in the main entry.
export {
  mergeRecords,
  toRecord,
  type AppendedRevocation,
  type EndingSession,
  type RevocationEntry,
  type RevocationKind,
  type RevocationLog,
  type RevocationPage,
  type RevocationRecord,
  type SessionLimits,
} from "./revocations/revocations.ts";
export type {
  Cookie,
  OpenedSession,
  RevocableSession,
  RevocationVerdict,
  SealedCapabilities,
  SealedChange,
  SealedContext,
  SealedCookie,
  SealedRemains,
  SealedSessionStore,
  SealedWrite,
} from "./store/contract.ts";
