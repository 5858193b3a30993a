// Holds a Node.js response back until the session is saved (law L7): every call that would send the
// first byte commits first. It knows the responses of node:http and HTTP/2, and no framework.
import type { ServerResponse } from "node:http";
import { chain, isThenable, type Awaitable } from "../../base/awaitable.ts";
import {
  applyEffects,
  hasEffects,
  isSessionCookie,
  type ResponseEffects,
} from "../../engine/effects.ts";
import { secondCookie } from "../../engine/response.ts";
import { occupied } from "../../session/misuse.ts";
import { isClosed } from "./begun.ts";
import {
  foldHead,
  forgetAnswer,
  headersOf,
  type HostHead,
  removeCookies,
  ResponseHead,
} from "./head.ts";
import { afterEnd, callBack, dropSources, HeldAnswer } from "./held-answer.ts";
import {
  held,
  type HeldMethod,
  heldMethods,
  type HeldResponse,
  type Holder,
  type Methods,
  ofFirst,
  ofFurther,
  reachDrain,
  type Replacements,
} from "./held-methods.ts";
import type { HoldOptions } from "./hold-options.ts";
import { warnOfLostCookie } from "./lost-cookie.ts";
import { Unanswered } from "./unanswered.ts";

/** Holds a response back until its session is saved. */
export function hold<Session>(response: ServerResponse, options: HoldOptions<Session>): void {
  const before = holdOf(response);
  if (before !== undefined) before.further = new ResponseHold(response, options, ofFurther);
  else (response as unknown as HeldResponse)[held] = new ResponseHold(response, options);
}

/** A response that waits for its session. */
class ResponseHold implements Holder {
  readonly #response: ServerResponse;
  readonly #options: HoldOptions;
  readonly #originals: Methods;
  readonly #replacements: Replacements;
  /** The hold over this one: two requests can share a response, such as copies made by a router. */
  further: ResponseHold | undefined;
  #isReleased = false;
  /** The answer that waits for a pending commit. */
  #waiting: HeldAnswer | undefined;
  /** True while a host that sends by itself waits for the commit. */
  #settling: Promise<void> | undefined;
  /** Settles when the waiting calls are carried out or dropped; undefined: none waits. */
  #pending: Promise<void> | undefined;
  /** The error of a failed commit. */
  #failure: { readonly error: unknown } | undefined;
  /** After a failed commit, until the host's error path answers. */
  #unanswered: Unanswered | undefined;
  #isReplaced = false;

  constructor(
    response: ServerResponse,
    options: HoldOptions,
    replacementsOf?: (holder: Holder) => Replacements,
  ) {
    this.#response = response;
    this.#options = options;
    this.#replacements = replacementsOf?.(this) ?? ofFirst;
    const { calls } = this.#replacements;
    this.#originals = { ...calls };
    const target = response as unknown as HeldResponse;
    // One after the other by name: each response of Express has its own hidden class, where a
    // constant property name is looked up slowly.
    for (const method of heldMethods) {
      this.#originals[method] = target[method];
      target[method] = calls[method];
    }
    const { engine, session } = options;
    // Only a session with unsaved changes needs the listener.
    engine.whenChanged(session, () => {
      const abandon = (): void => {
        if (!this.#isReleased && this.#waiting === undefined) engine.abandon(session);
      };
      if (isClosed(response)) abandon();
      // It closes once; `once` would make two objects more for each write.
      else response.on("close", abandon);
    });
  }

  /**
   * Commits now and adds the effects to the headers, for hosts that wait by themselves. Meanwhile the
   * response looks ended, so a second answer is refused as after a first one.
   * @param head - the host's own headers; default: the response's.
   * @throws the commit's error; the response is still unsent then, and still held.
   */
  settle(head?: HostHead): Awaitable<void> {
    if (this.#settling !== undefined) return this.#settling;
    if (this.#isReleased || this.#waiting !== undefined) return undefined;
    let effects: Awaitable<ResponseEffects>;
    try {
      effects = this.#commit();
    } catch (error) {
      this.#giveWay(error, head);
      throw error;
    }
    if (!isThenable(effects)) return this.#settleNow(effects, head);
    const putBack = head?.remember();
    const answer = new HeldAnswer(this.#response);
    this.#waiting = answer;
    answer.close();
    const settling = effects.then((settled) => {
      this.#stopWaiting(answer, afterEnd());
      putBack?.();
      answer.release(this.#originals, () => this.#settleNow(settled, head));
    });
    this.#settling = settling;
    // ORDER: before the host's own reaction; code between the two, such as the end of an async handler,
    // would take the response for an unanswered one.
    settling.catch((error: unknown) => {
      if (this.#waiting !== answer) return;
      this.#stopWaiting(answer, error);
      putBack?.();
      answer.takeBack();
      this.#giveWay(error, head);
    });
    return settling;
  }

  #settleNow(effects: ResponseEffects, head: HostHead | undefined): void {
    try {
      this.#release(effects, head);
    } catch (error) {
      this.#giveWay(error, head);
      throw error;
    }
  }

  /** Settles when the waiting answer is handed to the connection; undefined: none waits. */
  get pending(): Promise<void> | undefined {
    return this.#pending;
  }

  /** True while a host waits in `settle`. */
  get isSettling(): boolean {
    return this.#settling !== undefined;
  }

  /** The error of a failed commit, until the error's answer is handed to the connection. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#isReleased ? undefined : this.#failure;
  }

  /** The effects on the response; after a failed commit, that the error's answer isn't stored. */
  #commit(): Awaitable<ResponseEffects> {
    const { engine, session, request } = this.#options;
    // A library mounted behind ours can define its own property over it.
    if (request !== undefined && request.session !== session && !this.#isReplaced) {
      this.#isReplaced = true;
      throw occupied("another req.session");
    }
    const effects = engine.commit(session);
    if (this.#failure === undefined) return effects;
    return chain(effects, (due) => ({ ...due, noStore: true }));
  }

  /** A call of one of the held methods. */
  call(method: HeldMethod, args: unknown[]): unknown {
    if (this.#isReleased) return this.#originals[method].apply(this.#response, args);
    // The answer was dropped, and so are its further bytes.
    return this.#failure === undefined ? this.#take(method, args) : this.#drop(method, args);
  }

  /** As `call`; after a failed commit it is the error's answer. */
  answer(method: HeldMethod, args: unknown[]): unknown {
    if (this.#failure !== undefined && this.#response.writableEnded)
      return this.#drop(method, args);
    if (this.#isReleased) return this.#originals[method].apply(this.#response, args);
    return this.#unanswered === undefined
      ? this.#take(method, args)
      : this.#begin(this.#unanswered, method, args);
  }

  /** A call after a failed commit: the error's answer, or the rest of the dropped one. */
  #begin(unanswered: Unanswered, method: HeldMethod, args: unknown[]): unknown {
    if (unanswered.isAnsweredBy(method)) {
      this.#unanswered = undefined;
      return this.#take(method, args);
    }
    const dropped = this.#drop(method, args);
    if (method !== "end") return dropped;
    this.#unanswered = undefined;
    unanswered.takeStatus();
    return this.#take(method, []);
  }

  #take(method: HeldMethod, args: unknown[]): unknown {
    const response = this.#response;
    if (this.#waiting !== undefined) return this.#wait(this.#waiting, method, args);
    let effects: Awaitable<ResponseEffects>;
    try {
      effects = this.#commit();
    } catch (error) {
      return this.#failAt(method, args, error);
    }
    if (!isThenable(effects)) {
      const isHead = method === "writeHead" && hasEffects(effects);
      const first = isHead ? foldHead(response, args) : args;
      try {
        this.#release(effects);
      } catch (error) {
        return this.#failAt(method, args, error);
      }
      return this.#originals[method].apply(response, first);
    }
    const answer = new HeldAnswer(response);
    this.#waiting = answer;
    this.#pending = effects.then(
      (settled) => {
        this.#waiting = undefined;
        this.#pending = undefined;
        try {
          answer.release(this.#originals, () => this.#release(settled));
        } catch (error) {
          // Node would have thrown it at the caller, which has returned already.
          answer.drop(error);
          this.#fail(error);
        }
      },
      (error: unknown) => {
        this.#waiting = undefined;
        this.#pending = undefined;
        answer.takeBack();
        answer.drop(error);
        this.#fail(error);
        // The error's answer may wait, too.
        return this.#pending;
      },
    );
    return this.#wait(answer, method, args);
  }

  /** Ends a host's wait. Calls made meanwhile came after its answer, and are dropped. */
  #stopWaiting(answer: HeldAnswer, error: unknown): void {
    this.#waiting = undefined;
    this.#settling = undefined;
    answer.drop(error);
  }

  #wait(answer: HeldAnswer, method: HeldMethod, args: unknown[]): unknown {
    const { writeHead } = this.#response as unknown as HeldResponse;
    const { calls, answers } = this.#replacements;
    const isWrapped = writeHead !== calls.writeHead && writeHead !== answers.writeHead;
    return answer.take(method, args, isWrapped);
  }

  /** The result of a dropped call. */
  #drop(method: HeldMethod, args: unknown[]): unknown {
    callBack(args, afterEnd());
    if (method === "write") return false;
    return method === "flushHeaders" ? undefined : this.#response;
  }

  /** @throws {UsageError} ERR_SESSION_USAGE_RESPONSE when the answer has a cookie of ours already. */
  #release(effects: ResponseEffects, head?: HostHead): void {
    const { request, sent = request } = this.#options;
    if (hasEffects(effects) && !isClosed(this.#response)) {
      const access = head ?? headersOf(this.#response);
      if (access !== undefined) {
        // Most responses set none, and aren't looked through.
        const isDue = effects.cookieName !== undefined;
        if (isDue && removeCookies(access, (one) => isSessionCookie(effects, one)))
          throw secondCookie();
        if (isDue && sent !== undefined) warnOfLostCookie(effects.setCookie, sent);
        applyEffects(effects, access);
      }
    }
    this.#isReleased = true;
  }

  /** A commit that fails at once, inside a call: the call is dropped. */
  #failAt(method: HeldMethod, args: readonly unknown[], error: unknown): unknown {
    callBack(args, error);
    this.#fail(error);
    return this.#drop(method, []);
  }

  #fail(error: unknown): void {
    this.#giveWay(error);
    dropSources(this.#response, error);
    // An answer during this call is the error path's, with or without a new head.
    const unanswered = this.#unanswered;
    this.#unanswered = undefined;
    this.#options.fail(error);
    if (!this.#isReleased && this.#waiting === undefined) this.#unanswered = unanswered;
  }

  /** Restores the response for the error's answer, past the handler and wrappers that have ended. */
  #giveWay(error: unknown, head: HostHead = new ResponseHead(this.#response)): void {
    const response = this.#response;
    this.#failure = { error };
    Object.assign(response, this.#replacements.answers);
    if (Object.hasOwn(response, "on")) reachDrain(response);
    if (response.headersSent) return;
    forgetAnswer(head);
    this.#unanswered = new Unanswered(response, error);
  }
}

/** The hold of a response, if there is one; of several, the last. */
export function holdOf(response: ServerResponse): ResponseHold | undefined {
  let last = (response as unknown as Partial<HeldResponse>)[held] as ResponseHold | undefined;
  while (last?.further !== undefined) last = last.further;
  return last;
}
