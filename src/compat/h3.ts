// Reads the session cookies of h3 (also Nuxt's and Nitro's): a Fe26.2 seal of { id, createdAt, data },
// in one cookie, or in name.1 to name.N beside a cookie that says "__chunked__N".
import type { ForeignCookies } from "../cookie/foreign.ts";
import { SECOND } from "../base/time.ts";
import type { RejectedReason } from "../events.ts";
import { checkPasswords, Fe26Opener } from "./fe26.ts";
import { checkName, checkOptions, checkSeconds, type ReaderOptions } from "./options.ts";
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

/** h3's own options, under its names. */
export interface H3SessionOptions extends ReaderOptions {
  /** The cookie's name. Default "h3". */
  readonly name?: string | undefined;
  /** A string of at least 32 characters. */
  readonly password: string | Readonly<Record<string, string>> | undefined;
  /** Seconds since the session's creation, as h3 was told. Default none. */
  readonly maxAge?: number | undefined;
  /** Seconds since the session's last write, as h3 was told. Default none. */
  readonly idleTimeout?: number | undefined;
}

/** Of h3 1, for next to nothing, and of h3 2. */
const ITERATIONS = [1, 8192];
/** Derivations for forged cookies in one request, 10 ms each. */
const MAX_CHECKED = 2;
const CHUNKED = /^__chunked__([2-8])$/;
/** h3 puts 4000 bytes in each: more of them don't fit a Cookie header that is read. */
const CHUNKS = 8;
const ID_LABEL = "kocha-session/v1/h3-id";

/**
 * Reads live cookies of h3's sessions, 1 and 2, for `migrateFrom` of the cookie store. Without
 * `maxAge` and `idleTimeout` they live until `until`.
 * @throws {ConfigError} ERR_SESSION_CONFIG_COOKIE, _KEY or _FIELD
 */
export function h3Cookies(options: H3SessionOptions): ForeignCookies {
  const { until, map } = checkOptions("h3Cookies", options, [
    "name",
    "password",
    "maxAge",
    "idleTimeout",
  ]);
  const name = checkName(options.name, "name", "h3");
  const maxAge = checkSeconds(options.maxAge, "maxAge", Infinity) * SECOND;
  const idle = checkSeconds(options.idleTimeout, "idleTimeout", Infinity) * SECOND;
  const opener = new Fe26Opener(checkPasswords(options.password, undefined), ITERATIONS);
  const chunks = Array.from({ length: CHUNKS }, (_, index) => `${name}.${index + 1}`);
  return createReader({
    names: [name, ...chunks],
    until,
    maxChecked: MAX_CHECKED,
    group: (cookies) => wholeOrChunked(cookies, name, chunks),
    open(cookies, now): ForeignSession | RejectedReason {
      const parts = cookies.length === 1 ? cookies : cookies.slice(1);
      const seal = decodeValue(parts.map(({ value }) => value).join(""));
      if (CHUNKED.test(seal)) return "incomplete";
      const unsealed = opener.open(seal, now);
      if (typeof unsealed === "string") return unsealed;
      const session = parseJson(unsealed.text) as
        | Partial<Record<string, unknown>>
        | null
        | undefined;
      const createdAt = instant(session?.["createdAt"]);
      const seenAt = instant(session?.["lastSeenAt"]) ?? createdAt;
      const mapped = toStrings(session?.["data"], map);
      if (mapped === undefined || createdAt === undefined || seenAt === undefined) {
        return "malformed";
      }
      const expires = Math.min(unsealed.expires, createdAt + maxAge, seenAt + idle);
      if (expires <= now) return "expired";
      return { id: idOf(ID_LABEL, unsealed.mac), ...mapped, expires };
    },
  });
}

function instant(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

/** Each whole cookie, with its chunks behind it where it says that there are some. */
function* wholeOrChunked(
  cookies: readonly ForeignCookie[],
  name: string,
  chunks: readonly string[],
): Iterable<readonly ForeignCookie[]> {
  for (const cookie of cookies) {
    if (cookie.name !== name) continue;
    const [, count = "0"] = CHUNKED.exec(cookie.value) ?? [];
    const found = chunks
      .slice(0, Number(count))
      .map((chunk) => cookies.find((one) => one.name === chunk));
    // The count says nothing that isn't there.
    yield found.includes(undefined) ? [cookie] : [cookie, ...(found as ForeignCookie[])];
  }
}
