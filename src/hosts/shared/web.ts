// The common part of hosts on the Fetch API: headers of a Response, which may be immutable, and the
// connection by the request's URL.
import type { ServerResponse } from "node:http";
import { isThenable } from "../../base/awaitable.ts";
import type { Connection } from "../../engine/connection.ts";
import type { ResponseEffects } from "../../engine/effects.ts";
import { checkCarrier, hasBodyStatus } from "../../engine/response.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";
import { occupied, replaced } from "../../session/misuse.ts";
import { Session } from "../../session/session.ts";
import { holdUnderneath, isHeld, letGo, settleUnderneath } from "./underneath.ts";

/** True for a Response of any realm; a lazy one stays lazy. */
export function isResponse(answer: unknown): answer is Response {
  // h3's HTTPResponse has a status and headers, too, but no `bodyUsed`.
  return (
    typeof answer === "object" && answer !== null && "bodyUsed" in answer && "status" in answer
  );
}

/**
 * Checks before the save that an answer can carry the session's cookie. If it can't and the session is
 * unchanged, it is sent as it is, without a renewal.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE when the session was changed.
 */
function prepareCarrier(engine: SessionMiddleware, session: Session, answer: Response): void {
  const stage = engine.stageOf(session);
  if (stage === "unopened") return;
  if (stage === "changed") checkCarrier(engine, answer);
  // Of a host's lazy response only the status is cheap to read.
  else if (!hasBodyStatus(answer)) engine.abandon(session, "uncarried");
}

/** A request with its session, whose answer is to carry what the session owes. */
export interface Exchange {
  readonly engine: SessionMiddleware;
  readonly session: Session;
  /** The response of node:http underneath, where there is one. */
  readonly underneath: ServerResponse | undefined;
}

/**
 * Looks whether the answer can carry the session, commits, and gives the answer with what is due.
 * @param isPast - whether the answer is the host's sign that the true one is written underneath.
 * @param deliver - gives the answer with the effects.
 * @throws what the commit throws, and {UsageError} ERR_SESSION_USAGE_RESPONSE.
 */
export async function carry<Answer>(
  exchange: Exchange,
  answer: Answer,
  isPast: (answer: Answer) => boolean,
  deliver: (effects: ResponseEffects) => Answer,
): Promise<Answer> {
  const { engine, session, underneath } = exchange;
  if (underneath !== undefined && engine.stageOf(session) !== "unopened" && isPast(answer)) {
    await settleUnderneath(engine, session, underneath);
    return answer;
  }
  if (isResponse(answer)) prepareCarrier(engine, session, answer);
  return commitOnto(exchange, deliver);
}

/** Commits, and gives what `deliver` makes of the effects; a response underneath is let go. */
export async function commitOnto<Answer>(
  { engine, session, underneath }: Exchange,
  deliver: (effects: ResponseEffects) => Answer,
): Promise<Answer> {
  const effects = engine.commit(session);
  const carrier = deliver(isThenable(effects) ? await effects : effects);
  const released = letGo(underneath, session);
  if (isThenable(released)) await released;
  return carrier;
}

/** Commits without a response of ours for a cookie; on Node.js the held response underneath carries it. */
export async function commitUncarried({ engine, session, underneath }: Exchange): Promise<void> {
  if (!isHeld(underneath, session)) engine.abandon(session, "uncarried");
  await engine.commit(session);
}

/** The connection of a request with a trustworthy URL; URL and address are read when needed. */
export class WebConnection implements Connection {
  readonly #url: () => string;
  readonly #isLocal: () => boolean;

  constructor(url: () => string, isLocal: () => boolean) {
    this.#url = url;
    this.#isLocal = isLocal;
  }

  get secure(): boolean {
    return this.#url().startsWith("https:");
  }

  get loopback(): boolean {
    return this.#isLocal();
  }
}

/**
 * Watches a session with unsaved changes for the client's end. On Node.js the response underneath is
 * held and shows it; elsewhere the request's signal does, which some hosts create on access.
 * @param signal - the request's; some hosts have none.
 * @param response - the response underneath, if there is one.
 */
export function watch(
  engine: SessionMiddleware,
  session: Session,
  signal: () => AbortSignal | null | undefined,
  response: () => ServerResponse | undefined,
): void {
  engine.whenChanged(session, () => {
    const underneath = response();
    if (underneath !== undefined) {
      holdUnderneath(engine, session, underneath);
      return;
    }
    const client = signal();
    if (client?.aborted === true) engine.abandon(session);
    else client?.addEventListener("abort", () => engine.abandon(session), { once: true });
  });
}

/**
 * Throws for a session of another library in the place of ours. One of ours passes: `outerSession` refuses an
 * open one of another configuration.
 * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN
 */
export function mustBeFree(found: unknown, where: string): void {
  if (found === undefined || found === null || found instanceof Session) return;
  throw occupied(where);
}

/**
 * Throws if a handler has replaced the session, as in `c.set("session", null)`. These hosts' variables are
 * plain values, so it is detected only at the end.
 * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN
 */
export function mustBeSession(found: unknown): void {
  if (!(found instanceof Session)) throw replaced(found);
}

/** The outcome of a failure. */
export interface Aftermath {
  /** The effects on the response in spite of it. */
  readonly due: ResponseEffects;
  /** The error to answer: the commit's, if both failed. */
  readonly error: unknown;
}

/** Commits after something failed. */
export async function commitDespite(
  engine: SessionMiddleware,
  session: Session,
  error: unknown,
): Promise<Aftermath> {
  try {
    return { due: await engine.commit(session), error };
  } catch (worse) {
    return { due: await engine.commit(session), error: worse };
  }
}
