// A session's values between the bag of an application and the engine's string map: each top-level
// property is one key, its JSON text the value. It knows no request and no store.
import { isDeepStrictEqual } from "node:util";
import { kindOf } from "../../base/text.ts";
import { UsageError } from "../../errors.ts";
import { parseJson } from "../reader.ts";
import type { CookieData } from "./cookie-options.ts";
import { Cookie } from "./cookie.ts";
import { COOKIE_KEY } from "./row.ts";
import { Session } from "./session.ts";
import { cookieOf } from "./store.ts";

/** JSON texts by property. */
export type Texts = ReadonlyMap<string, string>;

/** What an application has changed. */
export interface Differences {
  readonly set: Texts;
  readonly del: readonly string[];
}

/** What a session of the engine holds: the texts of an application's properties, and of the cookie. */
export interface Kept {
  readonly texts: Texts;
  readonly cookie: string | undefined;
}

/** The properties that a bag can have. Others stay where they are, unseen. */
export function keptIn(entries: Iterable<readonly [string, string]>): Kept {
  const texts = new Map<string, string>();
  let cookie: string | undefined;
  for (const [key, text] of entries) {
    if (key === COOKIE_KEY) cookie = text;
    else if (isData(key) && parseJson(text) !== undefined) texts.set(key, text);
  }
  return { texts, cookie };
}

/** The values of JSON texts. */
export function valuesOf(texts: Texts): Record<string, unknown> {
  return Object.fromEntries(Array.from(texts, ([key, text]) => [key, parseJson(text)]));
}

/** True for a property that a session can have as data: no method's name, and none of every object's. */
function isData(name: string): boolean {
  return name !== COOKIE_KEY && !(name in Session.prototype) && name !== "id" && name !== "req";
}

/**
 * The bag's values, without its cookie. A property that is undefined is absent.
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE for a value that JSON has no word for, or a name that
 * can't be read back.
 */
export function textsOf(bag: object): Texts {
  const texts = new Map<string, string>();
  for (const name of Object.keys(bag)) {
    if (name === COOKIE_KEY) continue;
    const text = textOf(bag, name);
    if (text === undefined) continue;
    if (!isData(name)) throw unkept(name, "has the name of a method of each session or object");
    texts.set(name, text);
  }
  return texts;
}

/** @returns undefined where nothing is to be kept. */
function textOf(bag: object, name: string): string | undefined {
  let value: unknown;
  let text: string | undefined;
  try {
    value = (bag as Readonly<Record<string, unknown>>)[name];
    text = JSON.stringify(value);
  } catch {
    // Its own message can hold a value.
    throw unkept(
      name,
      `can't be written as JSON: ${kindOf(value)} with a cycle, a bigint or a throwing getter`,
    );
  }
  if (text !== undefined || value === undefined || typeof value === "object") return text;
  // An application may wrap a method for its request.
  if (typeof value === "function" && !isData(name)) return undefined;
  throw unkept(name, `is ${kindOf(value)}, which JSON has no word for`);
}

/** Property names that messages may show; any other name could be a client's. */
const PLAIN_NAME = /^[A-Za-z_$][\w$]{0,39}$/;

function unkept(name: string, why: string): UsageError {
  const property = PLAIN_NAME.test(name) ? name : "…";
  const message = `req.session.${property} ${why}, so it can't be kept; nothing was saved`;
  return new UsageError("ERR_SESSION_USAGE_TYPE", message);
}

/** What differs from the values that were loaded. */
export function differencesOf(texts: Texts, base: Texts): Differences {
  const set = new Map<string, string>();
  for (const [name, text] of texts) if (!isSame(base.get(name), text)) set.set(name, text);
  return { set, del: [...base.keys()].filter((name) => !texts.has(name)) };
}

export function isEmpty({ set, del }: Differences): boolean {
  return set.size + del.length === 0;
}

/** A row's text can be spelled otherwise than ours, as jsonb spells it. */
function isSame(before: string | undefined, text: string): boolean {
  if (before === undefined || before === text) return before === text;
  return JSON.stringify(parseJson(before)) === text;
}

/** True for one value, in whichever order a store gives its properties back, as jsonb has its own. */
export function isSameValue(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return isDeepStrictEqual(parseJson(one), parseJson(other));
}

/** The fields of a cookie that last; `expires` moves with each renewal. */
const lasting = [
  "originalMaxAge",
  "partitioned",
  "priority",
  "secure",
  "httpOnly",
  "domain",
  "path",
  "sameSite",
] as const satisfies readonly (keyof CookieData)[];

/** True if a bag's cookie has other attributes, or another lifetime, than the text says. */
export function isOtherCookie(cookie: Cookie, text: string): boolean {
  const before = parseJson(text);
  if (typeof before !== "object" || before === null) return true;
  const { data } = cookie;
  const kept = before as Partial<CookieData>;
  return lasting.some((field) => (data[field] ?? null) !== (kept[field] ?? null));
}

/** A bag's cookie; an object that is none of ours becomes one. */
export function cookieIn(bag: object): Cookie {
  const holder = bag as { cookie?: unknown };
  const { cookie } = holder;
  if (cookie instanceof Cookie) return cookie;
  const { toJSON } = Object(cookie) as { readonly toJSON?: () => object };
  const data = typeof toJSON === "function" ? toJSON.call(cookie) : cookie;
  return (holder.cookie = cookieOf(data as Partial<CookieData> | undefined));
}
