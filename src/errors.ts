// The one error tree of the library. An error names a field, a limit or an operation and the way
// out; it never carries a secret, a ticket, a token, an id or a session value. Bad client input is no error.

/** Codes of {@link ConfigError}. */
export type ConfigErrorCode =
  | "ERR_SESSION_CONFIG_FIELD"
  | "ERR_SESSION_CONFIG_KEY"
  | "ERR_SESSION_CONFIG_STORE"
  | "ERR_SESSION_CONFIG_COOKIE";

/** Codes of {@link UsageError}. */
export type UsageErrorCode =
  | "ERR_SESSION_USAGE_TYPE"
  | "ERR_SESSION_USAGE_MALFORMED"
  | "ERR_SESSION_USAGE_DESTROYED"
  | "ERR_SESSION_USAGE_HEADERS_SENT"
  | "ERR_SESSION_USAGE_READ_ONLY"
  | "ERR_SESSION_USAGE_ASYNC_SCHEMA"
  | "ERR_SESSION_USAGE_SCHEMA"
  | "ERR_SESSION_USAGE_NO_SESSION"
  | "ERR_SESSION_USAGE_FOREIGN"
  | "ERR_SESSION_USAGE_RESERVED"
  | "ERR_SESSION_USAGE_LIFETIME"
  | "ERR_SESSION_USAGE_RESPONSE"
  | "ERR_SESSION_USAGE_UPDATE"
  | "ERR_SESSION_USAGE_STORE";

/** Codes of {@link LimitError}. */
export type LimitErrorCode =
  | "ERR_SESSION_LIMIT_KEY"
  | "ERR_SESSION_LIMIT_KEYS"
  | "ERR_SESSION_LIMIT_SESSION"
  | "ERR_SESSION_LIMIT_COOKIE";

/** Codes of {@link StoreError}. */
export type StoreErrorCode =
  | "ERR_SESSION_STORE_FAILED"
  | "ERR_SESSION_STORE_TIMEOUT"
  | "ERR_SESSION_STORE_BUSY"
  | "ERR_SESSION_STORE_UNREPLICATED"
  | "ERR_SESSION_STORE_ANSWER";

/** Codes of {@link ConflictError}. */
export type ConflictErrorCode =
  | "ERR_SESSION_CONFLICT_STALE"
  | "ERR_SESSION_CONFLICT_GRACE"
  | "ERR_SESSION_CONFLICT_DEVICE"
  | "ERR_SESSION_CONFLICT_CONTENDED";

/** Every code that an error of this library can carry. */
export type SessionErrorCode =
  | ConfigErrorCode
  | UsageErrorCode
  | LimitErrorCode
  | StoreErrorCode
  | ConflictErrorCode;

/** The discriminated union of the classes: a `switch` over `code` narrows. */
export type AnySessionError = ConfigError | UsageError | LimitError | StoreError | ConflictError;

// Two copies of the package in one tree have two classes but one symbol.
const brand = Symbol.for("kocha-session.error");

/** The base of every error that this library throws. Its message ends with the place that explains its code. */
export abstract class SessionError<Code extends SessionErrorCode = SessionErrorCode> extends Error {
  /** The stable name of the fault; messages may change, codes don't. */
  readonly code: Code;
  /** @internal */
  readonly [brand] = true;

  /** @internal */
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(SessionError.withPage(code, message), options);
    this.code = code;
  }

  /**
   * A message that ends with the place which explains its code. The page is in the package, too: the path
   * leads to it without a network.
   * @internal
   */
  static withPage(code: string, message: string): string {
    return `${message} (see kocha-session/docs/reference/errors.md#${code.toLowerCase()})`;
  }
}

/** The programmer's fault in a configuration, thrown when the configuration is built. */
export class ConfigError extends SessionError<ConfigErrorCode> {
  override readonly name = "ConfigError";
  /** The path of the wrong field: `keys[1].secretKey`. */
  readonly field: string;

  /** @internal */
  constructor(code: ConfigErrorCode, field: string, message: string) {
    super(code, `${field}: ${message}`);
    this.field = field;
  }
}

/** A call that can't be right: a value that isn't a string, or a call at the wrong time. */
export class UsageError extends SessionError<UsageErrorCode> {
  override readonly name = "UsageError";
}

/** The size of one key of a session, for a {@link LimitError}. */
export interface KeySize {
  readonly key: string;
  /** UTF-8 bytes of the key and its value. */
  readonly bytes: number;
}

/** Something is larger than its limit; nothing of it was kept or sent. */
export class LimitError extends SessionError<LimitErrorCode> {
  override readonly name = "LimitError";
  /** The size that was found: bytes, or a number of keys. */
  readonly actual: number;
  /** The allowed size, in the same unit. */
  readonly limit: number;
  /** The largest keys, at most three, largest first; empty where they don't matter. */
  readonly largestKeys: readonly KeySize[];

  /** @internal */
  constructor(
    code: LimitErrorCode,
    message: string,
    size: { actual: number; limit: number; largestKeys?: readonly KeySize[] },
  ) {
    super(code, message);
    this.actual = size.actual;
    this.limit = size.limit;
    this.largestKeys = size.largestKeys ?? [];
  }
}

/** The operations of stores and revocations, as errors and events name them. */
export type StoreOperation = "load" | "save" | "list" | "destroyAll" | "sweep" | "revoke";

/** The store could not answer. It never means that there is no session. */
export class StoreError extends SessionError<StoreErrorCode> {
  override readonly name = "StoreError";
  readonly operation: StoreOperation;
  /** HTTP 503 Service Unavailable (RFC 9110 section 15.6.4), where hosts look for it. */
  readonly status = 503;
  /** The same as `status`, for the hosts that read this name. */
  readonly statusCode = 503;
  /** The message is for the log. Hosts that read this, such as Nest, answer with the status's own text. */
  readonly expose = false;

  /** @internal */
  constructor(
    code: StoreErrorCode,
    operation: StoreOperation,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.operation = operation;
  }
}

/** An `update`, `increment` or `take` that other requests made impossible; nothing of it was saved. */
export class ConflictError extends SessionError<ConflictErrorCode> {
  override readonly name = "ConflictError";
  /** HTTP 409 Conflict (RFC 9110 section 15.5.10), where hosts look for it. */
  readonly status = 409;
  /** The same as `status`, for the hosts that read this name. */
  readonly statusCode = 409;
  /** The message is for the log. Hosts that read this, such as Nest, answer with the status's own text. */
  readonly expose = false;
}

/** True for an error of this library, also of another copy of it. */
export function isSessionError(value: unknown): value is AnySessionError {
  return typeof value === "object" && value !== null && brand in value;
}
