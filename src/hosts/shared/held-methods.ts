// The methods of a response that send bytes, and their replacements while it is held. It knows no
// session and no queue.
import type { ServerResponse } from "node:http";

/** The methods that send bytes. Informational 1xx answers are not the response, and pass. */
export const heldMethods = ["writeHead", "write", "end", "flushHeaders"] as const;
export type HeldMethod = (typeof heldMethods)[number];
export type AnyCall = (...args: unknown[]) => unknown;
/** One function for each held method. */
export type Methods = Record<HeldMethod, AnyCall>;

/** The property of a response that holds its hold. */
export const held: unique symbol = Symbol("kocha-session.hold");
export type HeldResponse = Methods & { [held]: Holder };

/** Receives the calls of a response. */
export interface Holder {
  /** A call of one of the held methods. */
  readonly call: (method: HeldMethod, args: unknown[]) => unknown;
  /** As `call`; after a failed commit it is the error's answer. */
  readonly answer: (method: HeldMethod, args: unknown[]) => unknown;
}

/** One function for each method, for all responses, instead of closures for every request. */
export const ours: Methods = {
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

/** Sends the error's answer after a failed commit, past wrappers whose stream has ended. */
export const errorAnswers: Methods = {
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
