// A request as the drop-in reads it, whatever framework it comes from: its cookies, its path, and whether
// its client uses https.
import { findCookies } from "../../cookie/find.ts";
import type { SidDialect } from "./dialect.ts";

/** The part of a request that is read and written. */
export interface SessionRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly url?: string | undefined;
  readonly socket?: { readonly encrypted?: unknown } | null | undefined;
  /** The session; null or undefined: none. */
  session?: unknown;
  sessionID?: unknown;
  sessionStore?: unknown;
}

/** What Express and cookie-parser add to it. */
interface FrameworkRequest extends SessionRequest {
  readonly originalUrl?: unknown;
  readonly secure?: unknown;
  readonly secret?: unknown;
  readonly cookies?: Readonly<Record<string, unknown>>;
  readonly signedCookies?: Readonly<Record<string, unknown>>;
}

/** The secret that cookie-parser was given; undefined: none. */
export function parserSecret(request: SessionRequest): string | undefined {
  const { secret } = request as FrameworkRequest;
  return typeof secret === "string" && secret !== "" ? secret : undefined;
}

/**
 * The Cookie header. Where it hasn't this cookie, what cookie-parser found before somebody changed the
 * header stands behind it.
 */
export function cookieHeader(request: SessionRequest, name: string, dialect: SidDialect): string {
  const { cookie = "" } = request.headers;
  const header = String(cookie);
  if (findCookies(header, name).length > 0) return header;
  const { cookies, signedCookies } = request as FrameworkRequest;
  const [sid, value] = [ownText(signedCookies, name), ownText(cookies, name)];
  const parsed = sid === undefined ? value : dialect.signed(sid);
  return parsed === undefined ? header : `${header}; ${pairOf(name, parsed)}`;
}

/** A cookie as it stands in a Cookie header. */
export function pairOf(name: string, value: string): string {
  return `${name}=${encodeURIComponent(value.toWellFormed())}`;
}

function ownText(cookies: object | undefined, name: string): string | undefined {
  if (typeof cookies !== "object" || cookies === null || !Object.hasOwn(cookies, name)) {
    return undefined;
  }
  const value = (cookies as Readonly<Record<string, unknown>>)[name];
  return typeof value === "string" ? value : undefined;
}

/** The path that the client asked for, before a router cut it; "/" if there is none. */
export function pathOf(request: SessionRequest): string {
  const { originalUrl } = request as FrameworkRequest;
  const url = typeof originalUrl === "string" ? originalUrl : (request.url ?? "");
  const [path = ""] = (/^https?:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? url).split(/[?#]/, 1);
  return path === "" ? "/" : path;
}

/**
 * True if the client uses https.
 * @param proxy - true: X-Forwarded-Proto counts; false: only this socket; undefined: what the
 * framework says, as Express with its "trust proxy".
 */
export function isSecure(request: SessionRequest, proxy: boolean | undefined): boolean {
  const { socket, secure, headers } = request as FrameworkRequest;
  if (socket?.encrypted) return true;
  if (proxy === undefined) return secure === true;
  if (!proxy) return false;
  const [first = ""] = String(headers["x-forwarded-proto"] ?? "").split(",", 1);
  return first.trim().toLowerCase() === "https";
}
