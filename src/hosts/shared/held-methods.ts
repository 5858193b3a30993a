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

function methodsOf(way: keyof Holder, holderOf: (response: HeldResponse) => Holder): Methods {
  const methods: Partial<Methods> = {};
  for (const method of heldMethods) {
    methods[method] = function (this: HeldResponse, ...args) {
      return holderOf(this)[way](method, args);
    };
  }
  return methods as Methods;
}

function replacements(holderOf: (response: HeldResponse) => Holder): Replacements {
  return { calls: methodsOf("call", holderOf), answers: methodsOf("answer", holderOf) };
}

/** Those of a response's first hold: functions for all responses, instead of closures for every request. */
export const ofFirst: Replacements = replacements((response) => response[held]);

/** Those of a further hold. A wrapper between the two has the first one's, which go on to lead there. */
export function ofFurther(holder: Holder): Replacements {
  return replacements(() => holder);
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
