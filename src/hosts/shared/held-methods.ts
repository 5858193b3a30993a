// The methods of a response that send bytes, and their replacements while it is held. It knows no
// session and no queue.
import type { ServerResponse } from "node:http";

/** The methods that send bytes. Informational 1xx answers are not the response, and pass. */
export const heldMethods = ["writeHead", "write", "end", "flushHeaders"] as const;
export type HeldMethod = (typeof heldMethods)[number];
export type AnyCall = (...args: unknown[]) => unknown;
/** One function for each held method. */
export type Methods = Record<HeldMethod, AnyCall>;

/** The property of a response that has its hold; of several, the first. */
export const held: unique symbol = Symbol("kocha-session.hold");
export type HeldResponse = Methods & { [held]: Holder };

/** Receives the calls of a response. */
export interface Holder {
  /** A call of one of the held methods. */
  readonly call: (method: HeldMethod, args: unknown[]) => unknown;
  /** As `call`; after a failed commit it is the error's answer. */
  readonly answer: (method: HeldMethod, args: unknown[]) => unknown;
}

/** What stands in a held response for its own methods: until the commit, and after one that failed. */
export interface Replacements {
  readonly calls: Methods;
  /** They send the error's answer past wrappers whose stream has ended. */
  readonly answers: Methods;
}

const calls: Methods = {
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

const answers: Methods = {
  writeHead(this: HeldResponse, ...args) {
    return this[held].answer("writeHead", args);
  },
  write(this: HeldResponse, ...args) {
    return this[held].answer("write", args);
  },
  end(this: HeldResponse, ...args) {
    return this[held].answer("end", args);
  },
  flushHeaders(this: HeldResponse, ...args) {
    return this[held].answer("flushHeaders", args);
  },
};

/** Those of a response's first hold: functions for all responses, instead of closures for every request. */
export const ofFirst: Replacements = { calls, answers };

/** Those of a further hold. A wrapper between the two has the first one's, which go on to lead there. */
export function ofFurther(holder: Holder): Replacements {
  const of = (way: keyof Holder): Methods => {
    const methods = heldMethods.map((method): [HeldMethod, AnyCall] => [
      method,
      (...args) => holder[way](method, args),
    ]);
    return Object.fromEntries(methods) as Methods;
  };
  return { calls: of("call"), answers: of("answer") };
}

/** Makes listeners for `drain`, which a wrapper keeps for its own stream, hear the response's, too. */
export function reachDrain(response: ServerResponse): void {
  const target = response as unknown as Record<"on", AnyCall>;
  const { on } = target;
  const plain = (Object.getPrototypeOf(response) as Record<"on", AnyCall>).on;
  target.on = (type, listener) => {
    if (type === "drain") plain.call(response, type, listener);
    return on.call(response, type, listener);
  };
}
