// The dialect of one request's session: drop-ins use it to take another library's cookies, and to end and
// renew sessions by that library's rules. They need nothing else of the engine.
import type { RejectedReason } from "../events.ts";

/** The content of a client's credential. */
export interface Credential {
  /** The row's id in the store. */
  readonly selector: string;
  /** The row's generation when the credential was made; 1 in formats without one. */
  readonly generation: number;
  /** The instant of its sending, Unix milliseconds; 0: not known. */
  readonly issued: number;
  /** True if the current secret signed it; otherwise the next change sends it anew. */
  readonly current: boolean;
}

/** A format of the client's credential, as a cookie's value. */
export interface CredentialFormat {
  /** The credential in a value, or the reason that it isn't ours. Never throws, whatever `value` holds. */
  readonly open: (value: string) => Credential | RejectedReason;
  /** The value for a row, as Set-Cookie carries it. */
  readonly seal: (row: Omit<Credential, "current">) => string;
  /** A new row's id, at least 128 random bits: OWASP ASVS 5.0 requirement 7.2.3. */
  readonly mint: () => string;
}

/** A drop-in's rules for one request. */
export interface SessionDialect {
  /** The client's credential over a server-side store. Default: ours. */
  readonly credential?: CredentialFormat | undefined;
  /**
   * The idle timeout for the session's data, in seconds, at most the configuration's; undefined: the
   * configuration's. It replaces `session.sessionExpires`, and is saved in the same way.
   */
  readonly idleSeconds?: ((data: ReadonlyMap<string, string>) => number | undefined) | undefined;
  /** True: a stored session is renewed at the request's end, however recent the last renewal is. */
  readonly renewsNow?: (() => boolean) | undefined;
}
