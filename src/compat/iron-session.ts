// Reads the cookies of iron-session 8 and 9: a Fe26.2 seal with the marker "~2" behind it, in one
// cookie, or split over name.0 to name.3 without a cookie that counts them.
import type { ForeignCookies } from "../cookie/foreign.ts";
import type { RejectedReason } from "../events.ts";
import { checkPasswords, Fe26Opener } from "./fe26.ts";
import { checkName, checkOptions, type ReaderOptions } from "./options.ts";
import {
  createReader,
  decodeValue,
  type ForeignCookie,
  type ForeignSession,
  idOf,
  parseJson,
  toStrings,
} from "./reader.ts";

export type { ForeignCookies, ReaderOptions };

/** iron-session's own options, under its names. */
export interface IronSessionOptions extends ReaderOptions {
  readonly cookieName: string;
  /** A string of at least 32 characters, or several by the numbers that the cookies name. */
  readonly password: string | Readonly<Record<string, string>> | undefined;
}

const ITERATIONS = [1];
const CHUNKS = 4;
const MARKER = "~2";
const ID_LABEL = "kocha-session/v1/iron-session-id";

/**
 * Reads live cookies of iron-session, for `migrateFrom` of the cookie store. A session that was sealed
 * with `ttl: 0` lives until `until`.
 * @throws {ConfigError} ERR_SESSION_CONFIG_COOKIE, _KEY or _FIELD
 */
export function ironSessionCookies(options: IronSessionOptions): ForeignCookies {
  const { until, map } = checkOptions("ironSessionCookies", options, ["cookieName", "password"]);
  const name = checkName(options.cookieName, "cookieName");
  const opener = new Fe26Opener(checkPasswords(options.password, "1"), ITERATIONS);
  const chunks = Array.from({ length: CHUNKS }, (_, index) => `${name}.${index}`);
  return createReader({
    names: [name, ...chunks],
    until,
    group: (cookies) => wholeOrJoined(cookies, name, chunks),
    open(cookies, now): ForeignSession | RejectedReason {
      const value = decodeValue(cookies.map((cookie) => cookie.value).join(""));
      const marker = value.lastIndexOf("~");
      if (marker === -1) return "malformed";
      // Outside the MAC: anything else is refused, and it chooses nothing.
      if (value.slice(marker) !== MARKER) return "version";
      const unsealed = opener.open(value.slice(0, marker), now);
      if (typeof unsealed === "string") return unsealed;
      const mapped = toStrings(parseJson(unsealed.text), map);
      if (mapped === undefined) return "malformed";
      return { id: idOf(ID_LABEL, unsealed.mac), ...mapped, expires: unsealed.expires };
    },
  });
}

/** Each whole cookie, and then the first of each chunk up to the first that is missing. */
function* wholeOrJoined(
  cookies: readonly ForeignCookie[],
  name: string,
  chunks: readonly string[],
): Iterable<readonly ForeignCookie[]> {
  for (const cookie of cookies) if (cookie.name === name) yield [cookie];
  const found = chunks.map((chunk) => cookies.find((cookie) => cookie.name === chunk));
  const gap = found.indexOf(undefined);
  const joined = gap === -1 ? found : found.slice(0, gap);
  if (joined.length > 0) yield joined as readonly ForeignCookie[];
}
