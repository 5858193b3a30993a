// The engine: from a Cookie header to a session, and from a session to what the response owes the
// client. It knows no framework; the adapters call it and carry out the effects.
import { CookieWriter, isNameOf } from "../cookie/attributes.ts";
import { findCookies, findParts, MAX_HEADER_LENGTH } from "../cookie/find.ts";
import { Tries } from "../cookie/tries.ts";
import { isSessionError, StoreError, UsageError } from "../errors.ts";
import { chain, isThenable, tryAll } from "./awaitable.ts";
import type { Connection, EngineParts, SessionStage } from "./backing.ts";
import type { LostReason } from "./closing.ts";
import { type ResolvedConfig, resolveConfig, type SessionConfig } from "./config.ts";
import { noEffects, type ResponseEffects, varyOnly } from "./effects.ts";
import { notify } from "./events.ts";
import { isInGrace, MAX_SKEW } from "./expiry.ts";
import { KeyOpener, type OpenedKey } from "./key.ts";
import { KeyedBacking } from "./keyed.ts";
import { type CheckedRow, checkRow } from "./row.ts";
import { SealedBacking } from "./sealed.ts";
import {
  backingOf,
  closeUnopened,
  openedBackingOf,
  ownerOf,
  Session,
  stageOf,
  whenChanged,
} from "./session.ts";
import { callStore } from "./store-call.ts";
import {
  type Awaitable,
  type Cookie,
  isSealed,
  type RejectedReason,
  type SealedSessionStore,
} from "./store.ts";

const unknownConnection: Connection = {};
const engines = new WeakMap<SessionConfig, SessionMiddleware>();

/** A row with the key that found it. */
interface Candidate {
  readonly key: OpenedKey;
  readonly row: CheckedRow;
  readonly grace: boolean;
}

/** Opens and commits the sessions of one configuration; made once, used for every request. */
export class SessionMiddleware {
  readonly #config: ResolvedConfig;
  readonly #parts: EngineParts;
  readonly #sealed: SealedSessionStore | undefined;
  /** Absent with a sealed store. */
  readonly #keys: KeyOpener | undefined;

  /** @throws {ConfigError} with the field's name and the way out. */
  constructor(config: SessionConfig) {
    this.#config = resolveConfig(config);
    this.#parts = { config: this.#config, cookies: new CookieWriter(this.#config.cookie) };
    const { name, signing } = this.#config;
    this.#keys = signing && new KeyOpener(signing, name);
    this.#sealed = isSealed(this.#config.store) ? this.#config.store : undefined;
  }

  /** The engine of a configuration, made at the first call; an engine is given back as it is. */
  static from(config: SessionConfig | SessionMiddleware): SessionMiddleware {
    if (config instanceof SessionMiddleware) return config;
    const known = engines.get(config);
    if (known !== undefined) return known;
    const engine = new SessionMiddleware(config);
    engines.set(config, engine);
    return engine;
  }

  /**
   * The session of a request. It never throws for what the client sent (law L12).
   * @param cookieHeader - the Cookie header; several are joined with "; ".
   * @param connection - what the host says of the connection; getters are called when needed.
   * @throws {StoreError} when the store fails and `onStoreError` is "fail".
   */
  open(
    cookieHeader: string | undefined,
    connection: Connection = unknownConnection,
  ): Awaitable<Session> {
    const header = this.#checkHeader(cookieHeader);
    const sealed = this.#sealed;
    if (sealed === undefined) return this.#openKeyed(header, connection);
    const find = (): readonly Cookie[] => this.#findSealed(header, sealed);
    const { revocations } = this.#config;
    if (revocations !== undefined) {
      const opened = revocations.open(this.#parts, connection, sealed, find());
      return chain(opened, (backing) => new Session(this, () => backing));
    }
    return new Session(this, () => new SealedBacking(this.#parts, connection, sealed, find));
  }

  /** Whether `session` is one of this engine's. */
  owns(session: unknown): session is Session {
    return session instanceof Session && ownerOf(session) === this;
  }

  /** As `open`, for a request whose response can't carry a cookie, such as a WebSocket upgrade. */
  openReadOnly(cookieHeader: string | undefined): Awaitable<Session> {
    return chain(this.open(cookieHeader), (session) => {
      backingOf(session).headersOnly = true;
      return session;
    });
  }

  /**
   * Saves what the request changed, and freezes the session at once. A second call gives the same
   * answer. When the first one failed, the session is as it was stored before; then the second call
   * saves what was changed since, and gives what the response owes in spite of the failure. It
   * doesn't fail: what can't be saved by it is refused.
   * @throws {StoreError} when the store fails.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE when it doesn't fit the cookie.
   */
  commit(session: Session): Awaitable<ResponseEffects> {
    this.#check(session);
    const backing = openedBackingOf(session);
    if (backing !== undefined) return backing.close();
    closeUnopened(session);
    return this.#config.vary === "always" ? varyOnly : noEffects;
  }

  /**
   * No response will carry the session's cookie: what only a cookie could carry is refused for this
   * reason. A server-side store still saves what is committed later.
   * @param reason - "aborted", the default: the client is gone before the response left;
   * "uncarried": there is no response that could take a cookie.
   */
  abandon(session: Session, reason: LostReason = "aborted"): void {
    this.#check(session);
    openedBackingOf(session)?.abandon(reason);
  }

  /** How far the request has come with its session. */
  stageOf(session: Session): SessionStage {
    this.#check(session);
    return stageOf(session);
  }

  /** Whether a Set-Cookie value is of this configuration's cookie, or of one of its parts. */
  ownsCookie(setCookie: string): boolean {
    const [name = ""] = setCookie.split("=", 1);
    return isNameOf(name.trim(), this.#config.name);
  }

  /** Calls `listener` once, when the session has something to save or to send. */
  whenChanged(session: Session, listener: () => void): void {
    this.#check(session);
    whenChanged(session, listener);
  }

  #check(session: Session): void {
    if (this.owns(session)) return;
    const message = "this is no session of this engine: give it the one that open gave";
    throw new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
  }

  #checkHeader(header: string | undefined): string {
    if (typeof header !== "string") return "";
    if (header.length <= MAX_HEADER_LENGTH) return header;
    this.#reject("header-too-large");
    return "";
  }

  #findSealed(header: string, store: SealedSessionStore): readonly Cookie[] {
    if (header === "") return [];
    const cookies: Cookie[] = findParts(header, this.#config.name);
    for (const name of store.foreignNames ?? []) {
      if (name === this.#config.name) continue;
      for (const value of findCookies(header, name)) cookies.push({ name, value });
    }
    return cookies;
  }

  #openKeyed(header: string, connection: Connection): Awaitable<Session> {
    const make = (): KeyedBacking => new KeyedBacking(this.#parts, connection);
    const keys = header === "" ? [] : this.#openKeys(header);
    const [first] = keys;
    if (first === undefined) return new Session(this, make);
    const backing = make();
    const session = new Session(this, () => backing);
    const selectors = [...new Set(keys.map(({ selector }) => selector))];
    const settle = (rows: readonly (CheckedRow | undefined)[]): Session => {
      const found = keys.flatMap((key) => {
        const row = rows[selectors.indexOf(key.selector)];
        return row === undefined ? [] : this.#match(key, row);
      });
      const best = pickNewest(found);
      if (best === undefined) {
        backing.claim(first);
      } else {
        backing.adopt(best.key, best.row, best.grace, selectorsOf(found));
        if (!best.grace) notify(this.#config.on, "opened", { id: best.key.selector });
      }
      return session;
    };
    const fail = (error: unknown): Session => {
      if (this.#config.onStoreError === "fail" || !isStoreFailure(error)) throw error;
      backing.shut(first, selectors);
      return session;
    };
    try {
      const rows = tryAll(selectors, (selector) => this.#load(selector));
      return isThenable(rows) ? rows.then(settle).catch(fail) : settle(rows);
    } catch (error) {
      return fail(error);
    }
  }

  #openKeys(header: string): OpenedKey[] {
    const keys: OpenedKey[] = [];
    const tries = new Tries();
    for (const text of findCookies(header, this.#config.name)) {
      if (!tries.areLeft) break;
      // ORDER: the tag is checked before the store is asked, so that nobody can guess at rows.
      const key = this.#keys?.open(text) ?? "unknown-key";
      if (typeof key === "string") {
        if (tries.refused(key)) this.#reject(key);
        continue;
      }
      tries.verified();
      keys.push(key);
    }
    return keys;
  }

  #load(selector: string): Awaitable<CheckedRow | undefined> {
    const { store } = this.#config;
    const answer = callStore<unknown>(this.#config, "load", () => store.load(selector));
    return chain(answer, (row) => {
      if (row === undefined || row === null) return this.#reject("unknown");
      const checked = checkRow(row);
      if (checked === undefined) return this.#reject("malformed");
      const end = Math.min(checked.expires, checked.notes.deadline);
      // Law L10, even if the store's clock runs behind ours.
      return end + MAX_SKEW <= this.#config.now() ? this.#reject("expired") : checked;
    });
  }

  /** Whether the key is the row's, or the one before it within the grace of law L4. */
  #match(key: OpenedKey, row: CheckedRow): Candidate[] {
    if (key.generation === row.generation) return [{ key, row, grace: false }];
    const since = this.#config.now() - row.notes.barrierAt;
    if (key.generation === row.generation - 1 && isInGrace(since)) {
      return [{ key, row, grace: true }];
    }
    this.#reject("retired");
    return [];
  }

  #reject(reason: RejectedReason): undefined {
    notify(this.#config.on, "rejected", { reason });
    return undefined;
  }
}

/** Of several sessions that live, the one that was created last; one in its grace comes last. */
function pickNewest(found: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const candidate of found) {
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

function selectorsOf(found: readonly Candidate[]): string[] {
  return [...new Set(found.map(({ key }) => key.selector))];
}

function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.grace !== other.grace) return !one.grace;
  return one.row.notes.created > other.row.notes.created;
}

function isStoreFailure(error: unknown): error is StoreError {
  return isSessionError(error) && error instanceof StoreError;
}
