// The methods of a response by which bytes go out, and what stands in their place while they are held.
// It knows no session and no queue.
import type { ServerResponse } from "node:http";

/** The methods that let bytes out. Informational 1xx answers are not the response: they pass. */
export const heldMethods = ["writeHead", "write", "end", "flushHeaders"] as const;
export type HeldMethod = (typeof heldMethods)[number];
export type AnyCall = (...args: unknown[]) => unknown;
/** One function for each held method. */
export type Methods = Record<HeldMethod, AnyCall>;

/** Where a response has its hold. */
export const held: unique symbol = Symbol("kocha-session.hold");
export type HeldResponse = Methods & { [held]: Holder };

/** What takes the calls of a response. */
export interface Holder {
  /** A call of one of the held methods. */
  readonly call: (method: HeldMethod, args: unknown[]) => unknown;
  /** As `call`, also when a commit has failed: then it is the error's answer. */
  readonly answer: (method: HeldMethod, args: unknown[]) => unknown;
}

/** One function a method for all responses: closures would be made anew for every request. */
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

/** The error response's way when a commit has failed, past wrappers whose own stream is used up. */
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

/** A wrapper that keeps listeners for `drain` to its own stream lets them hear the response too. */
export function reachDrain(response: ServerResponse): void {
  const target = response as unknown as Record<"on", AnyCall>;
  const { on } = target;
  const plain = (Object.getPrototypeOf(response) as Record<"on", AnyCall>).on;
  target.on = (type, listener) => {
    if (type === "drain") plain.call(response, type, listener);
    return on.call(response, type, listener);
  };
}
