// A request's connection, as the host describes it, and the Secure attribute of a cookie on it.

/** A request's connection as the host describes it; read only when needed. */
export interface Connection {
  /** True if the client uses https. */
  readonly secure?: boolean | undefined;
  /** True if the client is on this machine: the socket's other end, and no proxy in between. */
  readonly loopback?: boolean | undefined;
}

/** A connection of which nothing is known. */
export const unknownConnection: Connection = {};

/** True if the cookie gets Secure: "auto" omits it only on plain http over loopback. */
export function isSecure(secure: boolean | "auto", connection: Connection): boolean {
  if (secure !== "auto") return secure;
  return connection.secure !== false || connection.loopback !== true;
}
