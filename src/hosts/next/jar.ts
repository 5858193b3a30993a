// Next's jar of a request's cookies, which `cookies()` gives: what it holds as a Cookie header, and the
// session's cookies put into it. It imports nothing of Next.
import { type CookieOwner, isSessionCookie, type ResponseEffects } from "../../engine/effects.ts";

/** The used part of a jar. While a page renders, `set` and `delete` throw. */
export interface CookieJar {
  getAll(): readonly { readonly name: string; readonly value: string }[];
  set(cookie: { readonly name: string; readonly value: string }): unknown;
  delete(name: string): unknown;
}

/**
 * The Cookie header of a request by now: what the client sent, with what this request has set since.
 * @param sent - the Cookie header that came: it has all cookies of one name, of which the jar has the last,
 * and their values as they were sent, which the jar decodes.
 */
export function headerOf(jar: CookieJar, sent: string): string {
  const pairs = sent.split(";").map((pair) => pair.trim());
  const held = new Map(jar.getAll().map(({ name, value }) => [name, value]));
  const unchanged = new Set(
    pairs.filter((pair) => held.get(nameOf(pair)) === decoded(valueOf(pair))).map(nameOf),
  );
  const changed = [...held].filter(([name, value]) => value !== "" && !unchanged.has(name));
  return [
    // What the jar doesn't have at all it couldn't decode.
    ...pairs.filter((pair) => unchanged.has(nameOf(pair)) || !held.has(nameOf(pair))),
    // A cookie that this request has removed stays in the jar, with an empty value.
    ...changed.map(([name, value]) => `${name}=${encodeURIComponent(value)}`),
  ].join("; ");
}

function nameOf(pair: string): string {
  return pair.split("=", 1)[0] ?? "";
}

function valueOf(pair: string): string {
  return pair.slice(nameOf(pair).length + 1);
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Everything that a jar holds, to be compared with a later state. */
export function textOf(jar: CookieJar): string {
  return JSON.stringify(jar.getAll().map(({ name, value }) => [name, value]));
}

/** The session's cookies in a jar, to be compared with a later state. */
export function stateOf(owner: CookieOwner, jar: CookieJar): string {
  const own = jar.getAll().filter(({ name }) => isSessionCookie(owner, name));
  return own.map(({ name, value }) => `${name}=${value}`).join("; ");
}

/**
 * True for the jar of a page that renders, or of `after()`: Next has one function for all its methods that
 * change cookies there, and it throws.
 */
export function isSealed(jar: CookieJar): boolean {
  return (jar.set as unknown) === jar.delete;
}

/**
 * Puts the cookies of a save into a jar.
 * @param earlier - those of the request's save before, which this one includes: a cookie that only they
 * had is taken back.
 */
export function putInto(
  jar: Pick<CookieJar, "set">,
  cookies: ResponseEffects["cookies"],
  earlier: ResponseEffects["cookies"] = [],
): void {
  for (const cookie of cookies) jar.set(cookie);
  for (const cookie of earlier) {
    if (cookies.some(({ name }) => name === cookie.name)) continue;
    const removed = { ...cookie, value: "", maxAge: 0, expires: new Date(0) };
    jar.set(removed);
  }
}
