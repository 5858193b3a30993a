// The session of one sid as a request knows it: the engine's session, what that holds, and what the
// application has changed. It knows no request and no response.
import type { Session as KeptSession } from "../../session/session.ts";
import type { Cookie } from "./cookie.ts";
import { differencesOf, isEmpty, isSameValue, type Kept, textsOf } from "./data.ts";
import type { SidDialect } from "./dialect.ts";
import { COOKIE_KEY } from "./row.ts";
import { valueIn, type Write, writeOf } from "./writing.ts";

const nothing: Kept = { texts: new Map(), cookie: undefined };

/** What is known of a session when a request comes to it. */
interface Origin {
  /** What the engine's session holds. */
  readonly kept?: Kept;
  /** True if the client's cookie holds the sid. */
  readonly isKnown?: boolean;
  /** True if the store has the session. */
  readonly isStored?: boolean;
  /** True if the application has changed its values. */
  readonly isModified?: boolean;
}

/** The session of one sid. */
export class SidSession {
  #session: KeptSession;
  #sid: string;
  /** What the engine's session holds, with what this request has written into it. */
  #kept: Kept;
  readonly isKnown: boolean;
  #isStored: boolean;
  #isModified: boolean;
  /** True while the engine's session can't be used: a save of it has failed. */
  isBroken = false;

  constructor(session: KeptSession, sid: string, origin: Origin = {}) {
    this.#session = session;
    this.#sid = sid;
    this.#kept = origin.kept ?? nothing;
    this.isKnown = origin.isKnown ?? false;
    this.#isStored = origin.isStored ?? false;
    this.#isModified = origin.isModified ?? false;
  }

  get session(): KeptSession {
    return this.#session;
  }

  get sid(): string {
    return this.#sid;
  }

  get isStored(): boolean {
    return this.#isStored;
  }

  get isModified(): boolean {
    return this.#isModified;
  }

  /**
   * What the application has changed.
   * @param evenUnchanged - true: a session that isn't stored gets stored, even if there is nothing in it.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE for a value that can't be kept.
   */
  compare(bag: object, cookie: Cookie, evenUnchanged: boolean): Write {
    const differences = differencesOf(textsOf(bag), this.#kept.texts);
    const isChanged = !isEmpty(differences);
    this.#isModified ||= isChanged;
    if (!this.#isStored && !isChanged && !evenUnchanged) return nothing.texts;
    return writeOf(differences, cookie, this.#kept.cookie);
  }

  /**
   * The keys of a change that have newer values of other requests: a session that was opened again holds
   * what is stored by then, which the application hasn't seen.
   */
  newerIn(write: Write): readonly string[] {
    const isNewer = ([key, text]: [string, string | undefined]): boolean => {
      if (key === COOKIE_KEY) return false;
      const stored = valueIn(this.#session, key);
      return [text, this.#kept.texts.get(key)].every((known) => !isSameValue(stored, known));
    };
    return [...write].filter(isNewer).map(([key]) => key);
  }

  /** Takes a change as written. The function that it gives takes that back. */
  settle(bag: object, write: Write): () => void {
    const before = this.#kept;
    this.#kept = { texts: textsOf(bag), cookie: write.get(COOKIE_KEY) ?? before.cookie };
    return () => void (this.#kept = before);
  }

  /** The store has it. Takes over the sid of its row: the first one may have been another session's. */
  noteStored(dialect: SidDialect): void {
    this.#isStored = true;
    const { id } = this.#session;
    if (id !== dialect.selectorOf(this.#sid)) this.#sid = dialect.sidOf(id);
  }

  /** Goes on with another session of the engine, of the same sid. */
  reopen(session: KeptSession): void {
    this.#session = session;
    this.isBroken = false;
  }
}
