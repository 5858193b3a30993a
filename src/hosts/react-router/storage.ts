// React Router's own interface of sessions over a server-side store: what a commit saves is what was
// changed since the session was got, and a session that was destroyed stays so.
import {
  type Cookie,
  type CookieOptions,
  type CookieParseOptions,
  type CookieSerializeOptions,
  createCookie,
  createSession,
  isCookie,
  type Session as RouterSession,
  type SessionData,
  type SessionStorage,
} from "react-router";
import { fail, mustBe } from "../../base/options.ts";
import { SECOND } from "../../base/time.ts";
import type { SessionConfig } from "../../engine/config.ts";
import type { ResponseEffects } from "../../engine/effects.ts";
import { UsageError } from "../../errors.ts";
import { SessionMiddleware } from "../../session/middleware.ts";
import type { Session } from "../../session/session.ts";

/** The fields of a configuration that are about the store and its sessions, and not about the cookie. */
type StoreFields = Pick<
  SessionConfig,
  | "signingKey"
  | "keys"
  | "sessionExpires"
  | "absoluteExpires"
  | "renewAfter"
  | "storeTimeout"
  | "onStoreError"
  | "maxKeyBytes"
  | "maxKeys"
  | "maxSessionBytes"
  | "on"
  | "now"
>;

/** Options of `createSessionStorage`: React Router's `cookie`, and a store with its key. */
export interface SessionStorageOptions extends StoreFields {
  /** A server-side store. */
  readonly store: Extract<SessionConfig["store"], { readonly load: unknown }>;
  /**
   * React Router's options of the cookie, or what its `createCookie` gives, without `secrets`. Of options,
   * `name` is "__session" by default, `httpOnly` and `secure` are true. `maxAge` is the idle timeout, too,
   * unless `sessionExpires` is given.
   */
  readonly cookie?: Cookie | (CookieOptions & { readonly name?: string | undefined }) | undefined;
}

/** A session as its storage knows it. */
interface Kept {
  /** Open until the first commit. */
  opened: Session | undefined;
  /** The value of the client's cookie; undefined: it has none. */
  ticket: string | undefined;
  /** True once a commit has given the ticket to the application, which may drop it for a later one. */
  isGiven: boolean;
  /** The JSON of each entry, as the store has it. */
  saved: ReadonlyMap<string, string>;
}

/**
 * React Router's `getSession`, `commitSession` and `destroySession` over a server-side store.
 *
 * Values are JSON in our string map, so `session.read(key)` of `sessionMiddleware` gets them, too. A
 * commit saves the keys whose JSON has changed, and gives the cookie that is due; where none is due it
 * gives one that browsers drop, since a late response with the old cookie could undo a newer one.
 * `maxAge` and `expires` of `commitSession` become the session's own lifetime, at most `sessionExpires`.
 * @throws {ConfigError} when an option is wrong; for `cookie.secrets`, since `signingKey` signs.
 */
export function createSessionStorage<Data = SessionData, FlashData = Data>(
  options: SessionStorageOptions,
): SessionStorage<Data, FlashData> {
  const { cookie: given = {}, ...fields } = options;
  const { cookie, defaults } = checkCookie(given);
  if (Object(fields.store).sealed === true) {
    fail(
      "store",
      "must be on a server: React Router's createCookieSessionStorage keeps sessions in a cookie, and so does sessionMiddleware with a SessionCookieStore",
      "ERR_SESSION_CONFIG_STORE",
    );
  }
  const { now = Date.now, sessionExpires = lifetimeOf(cookie) } = fields;
  const engine = new SessionMiddleware({ ...fields, sessionExpires, name: cookie.name });
  const all = new WeakMap<object, Kept>();

  const open = async (ticket: string | undefined): Promise<Session> =>
    engine.open(ticket === undefined ? undefined : `${cookie.name}=${ticket}`);

  const keptOf = (session: RouterSession<Data, FlashData>): Kept => {
    const known = all.get(session);
    if (known !== undefined) return known;
    // What React Router's createSession() makes is a new session.
    if (session.id !== "") throw unknownSession();
    const kept = { opened: undefined, ticket: undefined, isGiven: false, saved: new Map() };
    all.set(session, kept);
    return kept;
  };

  /** The session to change: the opened one, or for a further commit the same one anew. */
  const reopened = async (kept: Kept): Promise<Session> => {
    const { opened = await open(kept.ticket) } = kept;
    kept.opened = undefined;
    return opened;
  };

  return {
    async getSession(header, parsing?: CookieParseOptions) {
      const found: unknown = await cookie.parse(header ?? null, parsing);
      const ticket = typeof found === "string" && found !== "" ? found : undefined;
      const opened = await open(ticket);
      const { isNew } = opened;
      const entries = [...opened].map(([key, text]): [string, unknown] => [key, decode(text)]);
      const session = createSession<Data, FlashData>(
        Object.fromEntries(entries) as Data,
        isNew ? "" : opened.id,
      );
      const saved = new Map(entries.map(([key, value]) => [key, encode(value) ?? ""]));
      all.set(session, { opened, ticket: isNew ? undefined : ticket, isGiven: false, saved });
      return session;
    },

    async commitSession(session, serializing: CookieSerializeOptions = {}) {
      const kept = keptOf(session);
      const ours = await reopened(kept);
      // It has ended since an earlier commit. What was changed is refused, and begins no other session.
      if (kept.ticket !== undefined && ours.isNew) engine.abandon(ours, "uncarried");
      const entries = encodeAll(session.data);
      write(ours, kept.saved, entries);
      chooseLifetime(ours, serializing, now());
      const due = dueIn(await engine.commit(ours), cookie.name);
      kept.saved = entries;
      if (due !== undefined) Object.assign(kept, { ticket: due.value, isGiven: true });
      if (kept.ticket === undefined || !kept.isGiven) return nothingDue(cookie.name);
      const lifetime = due?.maxAge === undefined ? {} : { maxAge: due.maxAge };
      return cookie.serialize(kept.ticket, { ...defaults, ...lifetime, ...serializing });
    },

    async destroySession(session, serializing: CookieSerializeOptions = {}) {
      const kept = keptOf(session);
      const ours = await reopened(kept);
      await ours.destroy();
      await engine.commit(ours);
      // A later commit of it meets the destroyed session.
      Object.assign(kept, { opened: ours, ticket: undefined });
      return cookie.serialize("", { ...serializing, ...ended });
    },
  };
}

/** React Router's cookie, and what options of it get where they leave it open. */
function checkCookie(given: NonNullable<SessionStorageOptions["cookie"]>): {
  readonly cookie: Cookie;
  readonly defaults: CookieSerializeOptions;
} {
  if (typeof given !== "object" || given === null) {
    mustBe("cookie", "React Router's options of a cookie, or what its createCookie gives", given);
  }
  const isMade = isCookie(given);
  if (isMade ? given.isSigned : given.secrets !== undefined) {
    fail(
      "cookie.secrets",
      "must be left out: the cookie holds a ticket that signingKey signs, 32 random bytes in base64, as `npx kocha-session keygen` makes them",
      "ERR_SESSION_CONFIG_KEY",
    );
  }
  if (isMade) return { cookie: given, defaults: {} };
  const { name = "__session", ...options } = given;
  const { httpOnly = true, secure = true } = options;
  return { cookie: createCookie(name, options), defaults: { httpOnly, secure } };
}

/** What ends a cookie; undefined takes a Max-Age out, which would win. */
const ended = { maxAge: undefined as unknown as number, expires: new Date(0) };

/** Seconds that the cookie lives by its own options; undefined: they don't say. */
function lifetimeOf(cookie: Cookie): number | undefined {
  // React Router computes the end at this call, by the system's clock.
  const seconds = secondsUntil(cookie.expires, Date.now());
  if (seconds !== undefined && seconds <= 0) fail("cookie", "must not have ended already");
  return seconds;
}

/** Brings what was changed to the session. */
function write(
  session: Session,
  saved: ReadonlyMap<string, string>,
  entries: ReadonlyMap<string, string>,
): void {
  for (const key of saved.keys()) if (!entries.has(key)) session.del(key);
  for (const [key, text] of entries) if (saved.get(key) !== text) session.set(key, text);
}

/** Takes over the lifetime that a commit asks for. */
function chooseLifetime(
  session: Session,
  { maxAge, expires }: CookieSerializeOptions,
  now: number,
): void {
  const seconds = maxAge ?? secondsUntil(expires, now);
  if (seconds === undefined) return;
  if (seconds <= 0) {
    const message =
      "a cookie can't be committed that has ended already: end a session by destroySession";
    throw new UsageError("ERR_SESSION_USAGE_LIFETIME", message);
  }
  session.sessionExpires = seconds;
  session.cookieExpires = seconds;
}

function secondsUntil(end: Date | undefined, now: number): number | undefined {
  return end === undefined ? undefined : Math.ceil((end.getTime() - now) / SECOND);
}

/** The cookie that the client has to get. */
function dueIn(
  { cookies }: ResponseEffects,
  name: string,
): { value: string; maxAge?: number } | undefined {
  return cookies.find((one) => one.name === name && one.value !== "");
}

/** A Set-Cookie value that changes nothing, for a caller that needs one. */
function nothingDue(name: string): string {
  return `${name}.unchanged=; Path=/; Max-Age=0`;
}

function encodeAll(data: object): Map<string, string> {
  const entries = new Map<string, string>();
  for (const [key, value] of Object.entries(data)) {
    const text = encode(value);
    if (text !== undefined) entries.set(key, text);
  }
  return entries;
}

/** A value's JSON; undefined for undefined, which JSON leaves out. */
function encode(value: unknown): string | undefined {
  let text: string | undefined;
  try {
    text = JSON.stringify(value) as string | undefined;
  } catch (cause) {
    throw notJson(cause);
  }
  if (text === undefined && value !== undefined) throw notJson();
  return text;
}

/** What a text stands for; one that is no JSON, as sessions of ours can hold, is itself. */
function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function notJson(cause?: unknown): UsageError {
  const options = cause === undefined ? undefined : { cause };
  const message = "a value of the session can't be written as JSON; store a part of it that can";
  return new UsageError("ERR_SESSION_USAGE_SCHEMA", message, options);
}

function unknownSession(): UsageError {
  const message =
    "this session is of no storage of ours: pass commitSession and destroySession what getSession gave";
  return new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}
