// Redirects of SvelteKit that carry a session's cookies: one that a handler threw, and one that answers a
// data request.
import { hasEffects, type ResponseEffects } from "../../engine/effects.ts";

/** SvelteKit's `event.cookies`, as far as they are set. */
interface CookieJar {
  set(name: string, value: string, options: Readonly<Record<string, unknown>>): void;
}

/** What `redirect()` throws; the class is known to SvelteKit only. */
interface Redirect {
  readonly status: number;
  readonly location: string;
}

/** True for what `redirect()` throws. */
export function isThrownRedirect(error: unknown): error is Redirect {
  if (typeof error !== "object" || error === null) return false;
  const { status, location } = error as { status?: unknown; location?: unknown };
  return (
    typeof status === "number" && status >= 300 && status < 400 && typeof location === "string"
  );
}

/**
 * The redirect with a status that no cache keeps by itself (RFC 9110 section 15.1), since SvelteKit takes no
 * headers for its answer; the thrown one may be a constant.
 */
export function temporary(redirect: Redirect): Redirect {
  if ([302, 303, 307].includes(redirect.status)) return redirect;
  const copy = Object.create(Object.getPrototypeOf(redirect) as object) as object;
  return Object.assign(copy, redirect, { status: redirect.status === 308 ? 307 : 302 });
}

/** Hands the cookies to SvelteKit, which puts them onto the answer to a thrown redirect. */
export function setCookies(cookies: CookieJar, effects: ResponseEffects): void {
  for (const { name, value, ...attributes } of effects.cookies)
    cookies.set(name, value, { ...attributes, encode: (text: string) => text });
}

/**
 * The response that carries the effects. SvelteKit turns a redirect that a `handle` returns to a data
 * request into JSON, without its headers, so with effects that is done here.
 */
export function carrierOf(
  effects: ResponseEffects,
  response: Response,
  isDataRequest: boolean,
): Response {
  const location = response.headers.get("location");
  const isRedirect = response.status >= 300 && response.status <= 308 && location !== null;
  if (!isDataRequest || !isRedirect || !hasEffects(effects)) return response;
  const { status, headers } = response;
  const answer = Response.json({ type: "redirect", status, location });
  for (const cookie of headers.getSetCookie()) answer.headers.append("set-cookie", cookie);
  return answer;
}
