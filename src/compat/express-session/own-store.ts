// A server-side store of ours as express-session's stores look, for `req.sessionStore`: by the sids of
// cookies, and with whole sessions.
import type { Session as KeptSession } from "../../session/session.ts";
import type { CookieData } from "./cookie-options.ts";
import { cookieIn, differencesOf, keptIn, textsOf, valuesOf } from "./data.ts";
import type { DropIn } from "./drop-in.ts";
import type { Done } from "./session.ts";
import { cookieOf, type GotSession, type SessionData, Store } from "./store.ts";
import { parseJson } from "../reader.ts";
import { save, writeOf } from "./writing.ts";

/** The sessions of a drop-in over a store of ours. */
export class OwnStore extends Store {
  readonly #dropIn: DropIn;

  constructor(dropIn: DropIn) {
    super();
    this.#dropIn = dropIn;
  }

  override get(sid: string, done: GotSession): void {
    tell(this.#get(sid), done);
  }

  /** Replaces the whole session, or makes it. */
  override set(sid: string, session: SessionData, done?: Done): void {
    tell(this.#set(sid, session), done);
  }

  override destroy(sid: string, done?: Done): void {
    tell(this.#destroy(sid), done);
  }

  /** Begins the lifetime of a session anew; its cookie is as `set` left it. */
  touch(sid: string, _: object, done?: Done): void {
    tell(this.#touch(sid), done);
  }

  async #get(sid: string): Promise<SessionData | null> {
    const session = await this.#dropIn.openSid(sid);
    if (session.isNew) return null;
    const { texts, cookie } = keptIn(session);
    return { ...valuesOf(texts), cookie: cookieData(session, cookie) };
  }

  async #set(sid: string, data: SessionData): Promise<void> {
    const session = await this.#dropIn.openSid(sid);
    const { texts, cookie } = keptIn(session);
    await save(
      session,
      writeOf(differencesOf(textsOf(data), texts), cookieIn({ ...data }), cookie),
    );
  }

  async #destroy(sid: string): Promise<void> {
    await (await this.#dropIn.openSid(sid)).destroy();
  }

  async #touch(sid: string): Promise<void> {
    await this.#dropIn.engine.commit(await this.#dropIn.openSid(sid));
  }
}

/** The cookie's data, with the end that the store knows. */
function cookieData({ expiresAt }: KeptSession, text: string | undefined): Partial<CookieData> {
  const data = Object(parseJson(text)) as Partial<CookieData>;
  return typeof data.originalMaxAge === "number" ? cookieOf(data, expiresAt).data : data;
}

function tell<Value>(
  work: Promise<Value>,
  done: ((error?: unknown, value?: Value) => void) | undefined,
): void {
  const call = (...result: [unknown?, Value?]): void => queueMicrotask(() => done?.(...result));
  work.then((value) => call(undefined, value), call);
}
