// One session for all handlers of a request that have it open at the same time, nested or beside each
// other. Their key is Next's jar of cookies, one object a request. It imports nothing of Next.
import type { Connection } from "../../engine/connection.ts";
import type { ResponseEffects } from "../../engine/effects.ts";
import { secondCookie } from "../../engine/response.ts";
import { UsageError } from "../../errors.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";
import type { Session } from "../../session/session.ts";
import { insideDone, joinOuter } from "../shared/joining.ts";
import { type CookieJar, headerOf, putInto, stateOf } from "./jar.ts";

/** A request whose cookies can be set. */
export interface Place {
  readonly engine: SessionMiddleware;
  readonly jar: CookieJar;
  /** The Cookie header that came. */
  readonly sent: string;
  readonly connection: Connection;
  /** False once the response has begun: then a change of the jar comes too late. */
  readonly isOpen: () => Promise<boolean>;
  /** False where the handler that opened the session sets its cookies otherwise. */
  readonly usesJar: boolean;
}

/** A request's session while handlers have it. */
interface Opened {
  readonly place: Place;
  readonly session: Promise<Session>;
  /** How many handlers have it. */
  users: number;
  /** Settled when the last one's save is over: the next handler opens the session after that. */
  closed: Promise<unknown> | undefined;
  /** The session's cookies that are in the jar, as this library left them. */
  state: string;
  /** The cookies of the last save. */
  cookies: ResponseEffects["cookies"];
}

/** A session that a handler has, until it leaves. */
export interface Visit {
  readonly session: Session;
  /** True for the handler that opened the session. */
  readonly isFirst: boolean;
  /** Waits for the handlers that share the session; nothing for one that shares another's. */
  readonly othersDone: () => Promise<unknown> | undefined;
  /**
   * Saves what was changed so far, and sets the cookies. The last one to leave closes the session.
   * @throws what a commit throws; {UsageError} ERR_SESSION_USAGE_RESPONSE when the application has set a
   * cookie of the session's name; ERR_SESSION_USAGE_HEADERS_SENT when the response has begun.
   */
  readonly leave: () => Promise<ResponseEffects>;
}

/** The open sessions of one configuration, by their requests' jars. */
export class SharedSessions {
  readonly #opened = new WeakMap<CookieJar, Opened>();

  /**
   * Runs a handler with the request's session, which all handlers share that run meanwhile.
   * @throws {StoreError} when the session can't be loaded and `onStoreError` is "fail".
   */
  async visit<T>(place: Place, work: (visit: Visit) => Promise<T>): Promise<T> {
    const shared = this.#opened.get(place.jar);
    if (shared?.closed !== undefined) {
      // ORDER: a session that is being closed has cookies to set, which the next one must see.
      await shared.closed;
      return this.visit(place, work);
    }
    if (shared !== undefined) return joinOuter(shared, () => this.#enter(shared, false, work));
    return this.#enter(this.#open(place), true, work);
  }

  #open(place: Place): Opened {
    const { engine, jar, sent, connection } = place;
    const session = Promise.resolve(engine.open(headerOf(jar, sent), connection));
    const state = stateOf(engine, jar);
    const opened: Opened = { place, session, users: 0, closed: undefined, state, cookies: [] };
    this.#opened.set(jar, opened);
    return opened;
  }

  async #enter<T>(
    opened: Opened,
    isFirst: boolean,
    work: (visit: Visit) => Promise<T>,
  ): Promise<T> {
    opened.users++;
    let session: Session;
    try {
      session = await opened.session;
    } catch (error) {
      this.#opened.delete(opened.place.jar);
      throw error;
    }
    return work({
      session,
      isFirst,
      othersDone: () => (isFirst ? insideDone(opened) : undefined),
      leave: () => this.#leave(opened, session),
    });
  }

  #leave(opened: Opened, session: Session): Promise<ResponseEffects> {
    opened.users--;
    if (opened.users > 0) return save(opened, session, false);
    const saved = save(opened, session, true);
    const close = (): boolean => this.#opened.delete(opened.place.jar);
    opened.closed = saved.then(close, close);
    return saved;
  }
}

async function save(opened: Opened, session: Session, isLast: boolean): Promise<ResponseEffects> {
  const { engine, jar, isOpen } = opened.place;
  const isChanged = engine.stageOf(session) === "changed";
  const isLate = !(await isOpen());
  const isTaken = stateOf(engine, jar) !== opened.state;
  if (isTaken && isChanged) session.discard();
  if (isLate || isTaken) engine.abandon(session, "uncarried");
  let effects: ResponseEffects;
  try {
    effects = await (isLast ? engine.commit(session) : engine.save(session));
  } catch (error) {
    // What is due in spite of it, such as the end of another session.
    if (isLast && !isLate) put(opened, await engine.commit(session));
    throw error;
  }
  if (isLate && isChanged) throw tooLate();
  if (isTaken && isChanged) throw secondCookie();
  if (!isLate) put(opened, effects);
  return effects;
}

function put(opened: Opened, { cookies }: ResponseEffects): void {
  const { engine, jar, usesJar } = opened.place;
  if (!usesJar) return;
  putInto(jar, cookies, opened.cookies);
  opened.cookies = cookies;
  opened.state = stateOf(engine, jar);
}

function tooLate(): UsageError {
  const message =
    "the response had begun before the session was saved, so its cookie can't be sent: await " +
    "withSession in the action or the route handler that calls it";
  return new UsageError("ERR_SESSION_USAGE_HEADERS_SENT", message);
}
