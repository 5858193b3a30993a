// Cookies for the tests of applications: a session without a login form, and a look into one.
import { type SessionConfigSource, SessionMiddleware } from "../session/middleware.ts";

/** Options of a minted session beside its data. */
export interface MintOptions {
  /** The subject to bind. */
  readonly subject?: string;
  /** Its own cookie lifetime, in seconds. */
  readonly cookieExpires?: number;
  /** Its own idle timeout, in seconds. */
  readonly sessionExpires?: number;
}

/**
 * A Cookie header for a session with this data, made by the real engine: a server-side store holds
 * it from then on.
 * @param data - at least one entry, since an empty session is never stored.
 * @throws the errors of `set`, `bind` and the commit.
 */
export async function mintCookie(
  config: SessionConfigSource,
  data: ReadonlyMap<string, string> | Readonly<Record<string, string>>,
  options: MintOptions = {},
): Promise<string> {
  const engine = SessionMiddleware.from(config);
  const session = await engine.open(undefined);
  const entries = data instanceof Map ? data : Object.entries(data);
  for (const [key, value] of entries as Iterable<[string, string]>) session.set(key, value);
  if (options.subject !== undefined) session.bind(options.subject);
  if (options.cookieExpires !== undefined) session.cookieExpires = options.cookieExpires;
  if (options.sessionExpires !== undefined) session.sessionExpires = options.sessionExpires;
  const { setCookie } = await engine.commit(session);
  return setCookie.map((cookie) => cookie.split(";", 1)[0]).join("; ");
}

/**
 * The data of the session in a Cookie header or in Set-Cookie values; empty when there is none.
 */
export async function readCookie(
  config: SessionConfigSource,
  cookies: string | readonly string[],
): Promise<Map<string, string>> {
  const header =
    typeof cookies === "string"
      ? cookies
      : cookies.map((cookie) => cookie.split(";", 1)[0]).join("; ");
  const session = await SessionMiddleware.from(config).openReadOnly(header);
  return new Map(session);
}
