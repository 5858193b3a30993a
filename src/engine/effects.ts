// The effects of a commit on a response, and their merge into headers that may hold the application's own.
// It knows header values, no framework.

import { isSetCookieOf, type ResponseCookie } from "../cookie/attributes.ts";

/** Anything that sets the session's cookie: the engine, or effects with a due cookie. */
export interface CookieOwner {
  /** The session cookie's name; nobody else may set a cookie of this name or of its parts. */
  readonly cookieName?: string | undefined;
}

/** The changes to a response before its headers are sent; `applyEffects` makes all of them. */
export interface ResponseEffects extends CookieOwner {
  /** Set-Cookie values, added to the application's own. */
  readonly setCookie: readonly string[];
  /** The same cookies as fields, in the same order; made on first access. */
  readonly cookies: readonly ResponseCookie[];
  /** Further headers, each replacing an existing one. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** True if the response depends on the session: `Vary: Cookie`. */
  readonly vary: boolean;
  /** True if no cache may store the response, as when it sets a cookie: `Cache-Control: no-store`. */
  readonly noStore: boolean;
}

/** The effects of a request that never looked at its session. */
export const noEffects: ResponseEffects = {
  setCookie: [],
  cookies: [],
  headers: [],
  vary: false,
  noStore: false,
};

/** The same where `vary` is "always". */
export const varyOnly: ResponseEffects = { ...noEffects, vary: true };

/** True if there is anything to do. */
export function hasEffects(effects: ResponseEffects): boolean {
  return effects.vary || effects.noStore || isPersonal(effects);
}

/** True for effects that are meant for one client. */
export function isPersonal({ setCookie, headers }: ResponseEffects): boolean {
  return setCookie.length > 0 || headers.length > 0;
}

/** True for a Set-Cookie value of the session's cookie or of one of its parts. */
export function isSessionCookie({ cookieName }: CookieOwner, setCookie: string): boolean {
  return cookieName !== undefined && isSetCookieOf(setCookie, cookieName);
}

/**
 * The Vary value with `Cookie` in it: RFC 9110 section 12.5.5.
 * @param existing - the response's own value; absent: none.
 */
function mergeVary(existing: string): string {
  if (existing.trim() === "") return "Cookie";
  const names = existing.split(",").map((name) => name.trim().toLowerCase());
  return names.includes("*") || names.includes("cookie") ? existing : `${existing}, Cookie`;
}

/**
 * The Cache-Control value that keeps a Set-Cookie out of every cache: RFC 9111 section 5.2.2.5.
 * @param existing - the response's own value; one that forbids storing already stays as it is.
 */
function mergeCacheControl(existing: string): string {
  const directives = existing.split(",").map((one) => one.trim().toLowerCase());
  return directives.includes("no-store") ? existing : "no-store";
}

/** A response's headers: a `Headers`, or anything with the same three methods. */
export interface HeaderAccess {
  readonly get: (name: string) => string | null | undefined;
  readonly set: (name: string, value: string) => void;
  /** Adds a Set-Cookie to the existing ones. */
  readonly append: (name: string, value: string) => void;
}

/** Puts the effects into headers that may hold the application's own. */
export function applyEffects(effects: ResponseEffects, headers: HeaderAccess): void {
  for (const cookie of effects.setCookie) headers.append("Set-Cookie", cookie);
  for (const [name, value] of effects.headers) headers.set(name, value);
  if (effects.vary) headers.set("Vary", mergeVary(headers.get("Vary") ?? ""));
  if (effects.noStore)
    headers.set("Cache-Control", mergeCacheControl(headers.get("Cache-Control") ?? ""));
}
