// How one request's session speaks with its client where that isn't our way: for drop-ins that take
// another library's cookies, and end and renew sessions by its rules. It is all that they need of the
// engine; without one nothing of it is asked.
import type { RejectedReason } from "../events.ts";

/** What a client's credential says. */
export interface Credential {
  /** The row's id in the store. */
  readonly selector: string;
  /** The row's generation when the credential was made; a format without one says 1. */
  readonly generation: number;
  /** When it was sent, Unix milliseconds; 0: not known. */
  readonly issued: number;
  /** Whether the secret that signs now has signed it; one that hasn't is sent anew with a change. */
  readonly current: boolean;
}

/** A format of the client's credential, as a cookie's value. */
export interface CredentialFormat {
  /** What a value says, or why it isn't ours. It never throws, whatever `value` holds. */
  readonly open: (value: string) => Credential | RejectedReason;
  /** The value for a row, as it stands in Set-Cookie. */
  readonly seal: (row: Omit<Credential, "current">) => string;
  /** A new row's id, at least 128 random bits: OWASP ASVS 5.0 requirement 7.2.3. */
  readonly mint: () => string;
}

/** What is asked of a drop-in, for one request. */
export interface SessionDialect {
  /** The client's credential over a server-side store. Default: ours. */
  readonly credential?: CredentialFormat | undefined;
  /**
   * The idle timeout in seconds that the session's data asks for, at most the configuration's;
   * undefined: the configuration's. It takes the place of `session.sessionExpires`, and is saved as
   * that is.
   */
  readonly idleSeconds?: ((data: ReadonlyMap<string, string>) => number | undefined) | undefined;
  /** Whether a stored session is renewed at the request's end, however lately it was. */
  readonly renewsNow?: (() => boolean) | undefined;
}
