// The attributes of express-session's cookie: as an application gives them, and as a row keeps them.

/** When a cookie ends; null, false and undefined: when the browser is closed. */
export type CookieEnd = Date | null | false | undefined;

/** The attributes of a cookie, with `cookie.maxAge` in milliseconds. */
export interface CookieOptions {
  /** Milliseconds from now; null or absent: until the browser is closed. */
  maxAge?: number | Date | null | undefined;
  /** The same as an instant; of the two, the one that stands later in the object counts. */
  expires?: CookieEnd;
  /** Default "/". */
  path?: string | undefined;
  domain?: string | undefined;
  /** Default true. */
  httpOnly?: boolean | undefined;
  /** "auto": as the connection is. */
  secure?: boolean | "auto" | undefined;
  /** "auto": "none" over https, otherwise "lax". */
  sameSite?: boolean | "lax" | "strict" | "none" | "auto" | undefined;
  partitioned?: boolean | undefined;
  priority?: "low" | "medium" | "high" | undefined;
  // What @types/express-session names, too, and express-session itself ignores.
  signed?: boolean | undefined;
  encode?: ((value: string) => string) | undefined;
}

/** A cookie as a row keeps it, in the order of express-session's own fields. */
export interface CookieData {
  /** Milliseconds. */
  readonly originalMaxAge: number | null | false | undefined;
  readonly partitioned: CookieOptions["partitioned"];
  readonly priority: CookieOptions["priority"];
  readonly expires: CookieEnd;
  readonly secure: CookieOptions["secure"];
  readonly httpOnly: CookieOptions["httpOnly"];
  readonly domain: CookieOptions["domain"];
  readonly path: CookieOptions["path"];
  readonly sameSite: CookieOptions["sameSite"];
}
