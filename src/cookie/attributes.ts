// Writes our Set-Cookie headers and checks what a configuration may put into them. It knows no
// request; RFC 6265bis section 4.1 is its grammar.
import { fail } from "../base/options.ts";

/** The attributes of the session cookie, checked. */
export interface CookieAttributes {
  readonly path: string;
  readonly domain: string | undefined;
  readonly sameSite: "lax" | "strict" | "none";
  readonly partitioned: boolean;
  readonly priority: "low" | "medium" | "high" | undefined;
  readonly httpOnly: boolean;
  readonly secure: boolean | "auto";
}

/** A cookie of the response, field by field, for frameworks that take no Set-Cookie values. */
export interface ResponseCookie {
  readonly name: string;
  /** As it is on the wire; "" where the cookie is removed. */
  readonly value: string;
  readonly path: string;
  readonly domain?: string;
  /** Seconds; 0: the cookie is removed; absent, as `expires` is then: until the browser is closed. */
  readonly maxAge?: number;
  readonly expires?: Date;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: "lax" | "strict" | "none";
  readonly partitioned?: boolean;
  readonly priority?: "low" | "medium" | "high";
}

const COOKIE = "ERR_SESSION_CONFIG_COOKIE";
/** Browsers ignore an attribute value over this many bytes: RFC 6265bis section 5.6. */
const MAX_ATTRIBUTE_LENGTH = 1024;
/** With a part's suffix the name must fit the one length byte in a token's additional data. */
const MAX_NAME_LENGTH = 240;
/** token, RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** The suffix by which the cookies of one sealed session differ. */
const PART_SUFFIX = /\.[A-Za-z0-9_-]{6}$/;
/** path-value: begins with a slash, and has no control character and no semicolon. */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/;
/** A host name, without the leading dot of older specifications. */
const DOMAIN = /^(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/;

interface Prefix {
  readonly text: string;
  readonly needsHost: boolean;
  readonly needsHttpOnly: boolean;
}

// RFC 6265bis section 4.1.3 and its successor; browsers ignore case. A longer prefix
// stands before the one that it begins with.
const prefixes: readonly Prefix[] = [
  { text: "__Host-Http-", needsHost: true, needsHttpOnly: true },
  { text: "__Host-", needsHost: true, needsHttpOnly: false },
  { text: "__Secure-", needsHost: false, needsHttpOnly: false },
  { text: "__Http-", needsHost: false, needsHttpOnly: true },
];

/** True for a valid cookie name that leaves room for the suffix of a part. */
export function isCookieName(name: string): boolean {
  return TOKEN.test(name) && name.length <= MAX_NAME_LENGTH;
}

/** Whether a Set-Cookie value is of the cookie `name`, or of one of those into which it is divided. */
export function isSetCookieOf(setCookie: string, name: string): boolean {
  const [cookieName = ""] = setCookie.split("=", 1);
  return cookieName.trim().replace(PART_SUFFIX, "") === name;
}

/**
 * Checks the name and the attributes against the grammar and against each other.
 * @throws {ConfigError} ERR_SESSION_CONFIG_COOKIE
 */
export function checkCookie(name: string, attributes: CookieAttributes): void {
  if (!isCookieName(name)) {
    fail("name", "must be a cookie name of 1 to 240 characters: letters, digits, - and _", COOKIE);
  }
  if (PART_SUFFIX.test(name)) {
    fail(
      "name",
      "must not end in a dot and six characters: that is how parts of it are named",
      COOKIE,
    );
  }
  if (!PATH.test(attributes.path) || attributes.path.length > MAX_ATTRIBUTE_LENGTH) {
    fail("path", 'must begin with "/" and hold no control character and no semicolon', COOKIE);
  }
  const { domain } = attributes;
  if (domain !== undefined && (!DOMAIN.test(domain) || domain.length > 253)) {
    fail("domain", "must be a host name without a leading dot, a port or a scheme", COOKIE);
  }
  if (attributes.sameSite === "none" && attributes.secure !== true) {
    fail("sameSite", '"none" needs secure: true; browsers refuse the cookie otherwise', COOKIE);
  }
  if (attributes.partitioned && attributes.secure !== true) {
    fail("partitioned", "needs secure: true; browsers refuse the cookie otherwise", COOKIE);
  }
  checkPrefix(name, attributes);
}

function checkPrefix(name: string, attributes: CookieAttributes): void {
  const lower = name.toLowerCase();
  const prefix = prefixes.find(({ text }) => lower.startsWith(text.toLowerCase()));
  if (prefix === undefined) return;
  if (attributes.secure !== true)
    fail("name", `the prefix ${prefix.text} needs secure: true`, COOKIE);
  if (prefix.needsHost && attributes.domain !== undefined) {
    fail("domain", `must be left out: the prefix ${prefix.text} is for one host`, COOKIE);
  }
  if (prefix.needsHost && attributes.path !== "/") {
    fail("path", `must be "/" with the prefix ${prefix.text}`, COOKIE);
  }
  if (prefix.needsHttpOnly && !attributes.httpOnly) {
    fail("httpOnly", `must be true with the prefix ${prefix.text}`, COOKIE);
  }
}

/** Writes Set-Cookie values for one set of attributes; built once for each engine. */
export class CookieWriter {
  readonly #attributes: CookieAttributes;
  readonly #secured: string;
  readonly #plain: string;
  #dateSecond = -1;
  #date = "";

  constructor(attributes: CookieAttributes) {
    this.#attributes = attributes;
    const head =
      `; Path=${attributes.path}` +
      (attributes.domain === undefined ? "" : `; Domain=${attributes.domain}`);
    const tail =
      (attributes.httpOnly ? "; HttpOnly" : "") +
      `; SameSite=${capitalize(attributes.sameSite)}` +
      (attributes.partitioned ? "; Partitioned" : "") +
      (attributes.priority === undefined ? "" : `; Priority=${capitalize(attributes.priority)}`);
    this.#secured = `${head}; Secure${tail}`;
    this.#plain = `${head}${tail}`;
  }

  /**
   * A Set-Cookie value.
   * @param maxAge - seconds; undefined: a browser-session cookie.
   * @param now - Unix milliseconds, for Expires.
   */
  set(
    name: string,
    value: string,
    maxAge: number | undefined,
    now: number,
    secure: boolean,
  ): string {
    const attributes = secure ? this.#secured : this.#plain;
    if (maxAge === undefined) return `${name}=${value}${attributes}`;
    return `${name}=${value}; Max-Age=${maxAge}; Expires=${this.#dateAt(now, maxAge)}${attributes}`;
  }

  /** A Set-Cookie value that removes the cookie: the same attributes, or browsers keep it. */
  expire(name: string, secure: boolean): string {
    const attributes = secure ? this.#secured : this.#plain;
    return `${name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${attributes}`;
  }

  /** What `set` writes, as fields; with maxAge and now 0, what `expire` does. */
  fields(
    name: string,
    value: string,
    maxAge: number | undefined,
    now: number,
    secure: boolean,
  ): ResponseCookie {
    const { path, domain, httpOnly, sameSite, partitioned, priority } = this.#attributes;
    return {
      name,
      value,
      path,
      ...(domain !== undefined && { domain }),
      ...(maxAge !== undefined && { maxAge, expires: new Date(endSecond(now, maxAge) * 1000) }),
      httpOnly,
      secure,
      sameSite,
      ...(partitioned && { partitioned }),
      ...(priority !== undefined && { priority }),
    };
  }

  /** IMF-fixdate, RFC 9110 section 5.6.7; formatted once for each second. */
  #dateAt(now: number, maxAge: number): string {
    const second = endSecond(now, maxAge);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = new Date(second * 1000).toUTCString();
    }
    return this.#date;
  }
}

/** Unix seconds of the cookie's end. */
function endSecond(now: number, maxAge: number): number {
  return Math.floor(now / 1000) + maxAge;
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
