// Holds a Node.js response back until the session is saved (law L7): whatever would let the first
// byte out commits first. It knows node:http's response, also that of HTTP/2, and no framework.
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { chain, isThenable } from "../core/awaitable.ts";
import {
  applyEffects,
  hasEffects,
  type HeaderAccess,
  type ResponseEffects,
} from "../core/effects.ts";
import type { SessionMiddleware } from "../core/middleware.ts";
import { occupied } from "../core/misuse.ts";
import type { Session } from "../core/session.ts";
import type { Awaitable } from "../core/store.ts";

/** The methods that let bytes out. Informational 1xx answers are not the response: they pass. */
const heldMethods = ["writeHead", "write", "end", "flushHeaders"] as const;
type HeldMethod = (typeof heldMethods)[number];
type AnyCall = (...args: unknown[]) => unknown;
type Methods = Record<HeldMethod, AnyCall>;

/** Where a response has its hold. */
const held = Symbol("kocha-session.hold");
type HeldResponse = Methods & { [held]: ResponseHold };

/** One function a method for all responses: closures would be made anew for every request. */
const ours: Methods = {
  writeHead(this: HeldResponse, ...args) {
    return this[held].call("writeHead", args);
  },
  write(this: HeldResponse, ...args) {
    return this[held].call("write", args);
  },
  end(this: HeldResponse, ...args) {
    return this[held].call("end", args);
  },
  flushHeaders(this: HeldResponse, ...args) {
    return this[held].call("flushHeaders", args);
  },
};

/** What may stand in writeHead's place for headers: an object, a flat list or a list of pairs. */
type HeadHeaders = OutgoingHttpHeaders | readonly unknown[];

/** A call that waits for the commit. */
interface HeldCall {
  readonly method: HeldMethod;
  readonly args: unknown[];
}

/** What a held response needs of its host. */
export interface HoldOptions {
  readonly engine: SessionMiddleware;
  readonly session: Session;
  /** Whose session it is, until another library puts its own there. */
  readonly request: { readonly session: unknown };
  /** Takes a failed commit to the host's own error path; the response is still unsent. */
  readonly fail: (error: unknown) => void;
}

/** Holds a response back until its session is saved. */
export function hold(response: ServerResponse, options: HoldOptions): void {
  (response as unknown as HeldResponse)[held] = new ResponseHold(response, options);
}

/** A response that waits for its session. */
class ResponseHold {
  readonly #response: ServerResponse;
  readonly #options: HoldOptions;
  readonly #originals: Methods;
  #state: "open" | "waiting" | "released" = "open";
  #queue: HeldCall[] = [];
  /** Whether a write was told to wait for `drain`, which then must come. */
  #owesDrain = false;
  #hasFailed = false;
  #isReplaced = false;

  constructor(response: ServerResponse, options: HoldOptions) {
    this.#response = response;
    this.#options = options;
    const before = holdOf(response);
    this.#originals = { ...ours };
    const target = response as unknown as HeldResponse;
    // One after the other by name: Express gives each response a shape of its own, and there a
    // property that is named in the program is looked up slowly.
    for (const method of heldMethods) {
      const original = target[method];
      // Two requests can share a response, as where a router hands on copies: then both hold it.
      this.#originals[method] =
        before !== undefined && original === ours[method]
          ? (...args) => before.call(method, args)
          : original;
      target[method] = ours[method];
    }
    const { engine, session } = options;
    // Only a session with something to lose is worth a listener.
    engine.whenChanged(session, () => {
      const abandon = (): void => {
        if (this.#state === "open") engine.abandon(session);
      };
      if (isClosed(response)) abandon();
      else response.once("close", abandon);
    });
  }

  /**
   * Commits now and puts the effects into the headers, for hosts that wait by themselves.
   * @param headers - where the host keeps its headers; default: on the response.
   * @throws what the commit throws; the response is still unsent then, and still held.
   */
  settle(headers?: HeaderAccess): Awaitable<void> {
    if (this.#state !== "open") return undefined;
    return chain(this.#commit(), (effects) => this.#release(effects, headers));
  }

  #commit(): Awaitable<ResponseEffects> {
    const { engine, session, request } = this.#options;
    // A library that was mounted behind ours can define a property of its own over it.
    if (request.session !== session && !this.#isReplaced) {
      this.#isReplaced = true;
      throw occupied("another req.session");
    }
    return engine.commit(session);
  }

  /** A call of one of the held methods. */
  call(method: HeldMethod, args: unknown[]): unknown {
    // The error response has been sent; what the failed handler still writes belongs to no one.
    if (this.#hasFailed && this.#response.writableEnded) return this.#answerOf(method);
    if (this.#state === "released") return this.#originals[method].apply(this.#response, args);
    if (this.#state === "waiting") return this.#enqueue(method, args);
    let effects: Awaitable<ResponseEffects>;
    try {
      effects = this.#commit();
    } catch (error) {
      this.#fail(error);
      return this.#answerOf(method);
    }
    if (!isThenable(effects)) {
      const first = hasEffects(effects) ? this.#foldHead(method, args) : args;
      this.#release(effects);
      return this.#originals[method].apply(this.#response, first);
    }
    this.#state = "waiting";
    effects.then(
      (settled) => {
        try {
          this.#replay(settled);
        } catch (error) {
          // What node:http would have thrown at the caller, who is through by now.
          this.#fail(error);
        }
      },
      (error: unknown) => {
        this.#state = "open";
        this.#queue = [];
        this.#fail(error);
      },
    );
    return this.#enqueue(method, args);
  }

  #enqueue(method: HeldMethod, args: unknown[]): unknown {
    // Folded at once: hosts read the status and the headers of a response that has "begun".
    this.#queue.push({ method, args: this.#foldHead(method, args) });
    if (method === "write") this.#owesDrain = true;
    return this.#answerOf(method);
  }

  /** What a held call gives back: a write tells its source to wait, as a full buffer would. */
  #answerOf(method: HeldMethod): unknown {
    if (method === "write") return false;
    return method === "flushHeaders" ? undefined : this.#response;
  }

  #replay(effects: ResponseEffects): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#release(effects);
    let flowing = true;
    let ended = false;
    for (const { method, args } of queue) {
      const answer = this.#originals[method].apply(this.#response, args);
      if (method === "write") flowing = answer !== false;
      if (method === "end") ended = true;
    }
    if (this.#owesDrain && flowing && !ended) this.#response.emit("drain");
  }

  #release(effects: ResponseEffects, headers?: HeaderAccess): void {
    this.#state = "released";
    if (hasEffects(effects) && !this.#response.headersSent) {
      applyEffects(effects, headers ?? this.#headers);
    }
  }

  get #headers(): HeaderAccess {
    const response = this.#response;
    return {
      get: (name) => joined(response.getHeader(name)),
      set: (name, value) => response.setHeader(name, value),
      append: (name, value) =>
        response.setHeader(name, [...listed(response.getHeader(name)), value]),
    };
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#options.fail(error);
  }

  /** Moves writeHead's headers into the response's, where ours can join them; gives what is left. */
  #foldHead(method: HeldMethod, args: unknown[]): unknown[] {
    if (method !== "writeHead") return args;
    const [status, second, third] = args;
    const isReason = typeof second === "string";
    const headers = (isReason ? third : (second ?? third)) as HeadHeaders | null | undefined;
    if (typeof headers === "object" && headers !== null) this.#setAll(headers);
    return isReason ? [status, second] : [status];
  }

  #setAll(headers: HeadHeaders): void {
    const response = this.#response;
    const entries = Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers);
    const named = new Map<string, string[] | OutgoingHttpHeader>();
    for (const [name, value] of entries as [string, OutgoingHttpHeader | undefined][]) {
      if (value === undefined) continue;
      const known = named.get(name.toLowerCase());
      // A list may name a header twice: both count, as they would on the wire.
      const all = known === undefined ? value : [...listed(known), ...listed(value)];
      named.set(name.toLowerCase(), all);
      response.setHeader(name, all);
    }
  }
}

/** What holds a response, if anything does. */
export function holdOf(response: ServerResponse): ResponseHold | undefined {
  return (response as unknown as Partial<HeldResponse>)[held];
}

/** Whether the client has gone; HTTP/2's response tells it by its stream alone. */
function isClosed(response: ServerResponse): boolean {
  const { destroyed, stream } = response as ServerResponse & {
    readonly stream?: { readonly destroyed?: boolean };
  };
  return destroyed || stream?.destroyed === true;
}

function pairsOf(list: readonly unknown[]): [unknown, unknown][] {
  if (list.every(Array.isArray)) return list as [unknown, unknown][];
  const pairs: [unknown, unknown][] = [];
  for (let index = 0; index + 1 < list.length; index += 2)
    pairs.push([list[index], list[index + 1]]);
  return pairs;
}

function listed(value: OutgoingHttpHeader | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [String(value)];
}

/** A header's value as one string; undefined when it isn't set. */
export function joined(value: OutgoingHttpHeader | undefined): string | undefined {
  return value === undefined ? undefined : listed(value).join(", ");
}
