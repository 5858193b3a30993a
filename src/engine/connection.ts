// A request's connection, as the host tells it, and whether a cookie on it is for https only.

/** What the host says of a request's connection, by its own word; read when it is needed. */
export interface Connection {
  /** Whether the client came by https. */
  readonly secure?: boolean | undefined;
  /** Whether the client is this machine: the socket's other end, and no proxy that stands there. */
  readonly loopback?: boolean | undefined;
}

/** A connection of which nobody says anything. */
export const unknownConnection: Connection = {};

/** Whether the cookie gets Secure: "auto" leaves it out on plain http over loopback only. */
export function isSecure(secure: boolean | "auto", connection: Connection): boolean {
  if (secure !== "auto") return secure;
  return connection.secure !== false || connection.loopback !== true;
}
