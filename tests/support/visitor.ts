// One visitor of an engine, without HTTP: what the adapter does with a request, and a browser's one
// cookie.
import {
  SessionMiddleware,
  type Session,
  type SessionConfig,
  type SessionStore,
} from "kocha-session";
import { freshKey } from "./keys.ts";

/** A client that keeps its cookie from visit to visit. */
export class Visitor {
  readonly #engine: SessionMiddleware;
  /** What the next request sends, "name=value"; undefined: nothing. */
  cookie: string | undefined;

  constructor(store: SessionStore, config: Partial<SessionConfig> = {}) {
    this.#engine = new SessionMiddleware({ signingKey: freshKey(), ...config, store });
  }

  /** One request: opens, lets the handler work, commits, and keeps the cookie that is due. */
  async visit<T>(handler: (session: Session) => T | Promise<T>): Promise<T> {
    const session = await this.#engine.open(this.cookie);
    const answer = await handler(session);
    const { setCookie } = await this.#engine.commit(session);
    for (const cookie of setCookie) {
      const [pair = ""] = cookie.split(";", 1);
      this.cookie = pair.endsWith("=") ? undefined : pair;
    }
    return answer;
  }
}
