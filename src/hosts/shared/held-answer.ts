// The answer that waits for a commit: the calls that a handler has made, answered as node answers
// them, and carried out or taken back when the commit has settled. It knows no session.
import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { Begun, isConnected } from "./begun.ts";
import { cover } from "./deferred-destroy.ts";
import { foldHead, isHttp2, rememberHead } from "./head.ts";
import type { AnyCall, HeldMethod, Methods } from "./held-methods.ts";

interface HeldCall {
  readonly method: HeldMethod | "flush";
  readonly args: readonly unknown[];
}

/** The first answer of a response; nothing of it has left. */
export class HeldAnswer {
  readonly #response: ServerResponse;
  readonly #takeBackHead: () => void;
  readonly #calls: HeldCall[] = [];
  #begun: Begun | undefined;
  /** Of compression, mounted before us: what it flushes is what was written before. */
  #flush: AnyCall | undefined;
  /** Whether wrappers mounted behind us are being told that the head leaves, without a writeHead. */
  #isImplicitHead = false;
  /** Whether a write was told to wait for `drain`, which then must come. */
  #owesDrain = false;
  /** Whether the answer ended in an earlier turn: node's own response would be through by now. */
  #isThrough = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#takeBackHead = rememberHead(response);
  }

  /**
   * A call that waits. What node refuses is refused now, while its caller can still catch it.
   * @param isWrapped - whether something behind us has put a writeHead of its own in front.
   */
  take(method: HeldMethod, args: readonly unknown[], isWrapped: boolean): unknown {
    const response = this.#response;
    if (method === "writeHead") {
      if (this.#begun !== undefined) throw headersSent(response);
      this.#takeHead(args);
      return response;
    }
    if (this.#isThrough) {
      callBack(args, afterEnd());
      return method === "end" ? response : false;
    }
    assertChunk(method, args[0]);
    if (response.destroyed) {
      callBack(args, destroyed());
      return method === "end" ? response : false;
    }
    if (this.#begun === undefined) {
      if (isWrapped) this.#tellWrappers();
      this.#begin();
    }
    this.#calls.push({ method, args });
    if (method === "flushHeaders") return undefined;
    const isFlowing = this.#begun?.add(lengthOf(args[0])) === true && !this.#begun.isEnded;
    if (method === "end") {
      if (this.#begun?.isEnded === false) {
        this.#begun.end();
        queueMicrotask(() => (this.#isThrough = true));
      }
      return response;
    }
    if (!isFlowing) this.#owesDrain = true;
    return isFlowing;
  }

  /** Answers for a host that sends by itself later: begun and ended, whatever comes meanwhile. */
  close(): void {
    this.#begin();
    this.#begun?.end();
  }

  /**
   * Carries the calls out.
   * @param prepare - called when headers can be set again, before the first call.
   * @throws what a call throws; its caller is through by now.
   */
  release(originals: Methods, prepare: () => void): void {
    const response = this.#response;
    const destroy = this.#begun?.takeOff();
    try {
      prepare();
      let isFlowing = true;
      let call: HeldCall | undefined;
      while ((call = this.#calls.shift()) !== undefined) {
        const carryOut = call.method === "flush" ? this.#flush : originals[call.method];
        const answer = carryOut?.apply(response, [...call.args]);
        if (call.method === "write") isFlowing = answer !== false;
      }
      if (this.#owesDrain && isFlowing && !response.writableEnded) this.#begun?.emitDrain();
    } finally {
      destroy?.();
    }
  }

  /** Takes everything back: the response is as it was before the first call. */
  takeBack(): void {
    // Who destroyed the connection took the response for one that has begun.
    this.#begun?.takeOff();
    this.#takeBackHead();
  }

  /** Tells the callers that nothing of what they gave will be sent. */
  drop(error: unknown): void {
    for (const { args } of this.#calls.splice(0)) callBack(args, error);
  }

  #takeHead(args: readonly unknown[]): void {
    const response = this.#response;
    const statusCode = Number(args[0]);
    if (!isHttp2(response)) assertStatusCode(statusCode);
    response.statusCode = statusCode;
    const rest = foldHead(response, args);
    if (typeof rest[1] === "string" && !isHttp2(response)) response.statusMessage = rest[1];
    this.#begin();
    // The head that node makes by itself may know the length of the body, and name it.
    if (!this.#isImplicitHead) this.#calls.push({ method: "writeHead", args: rest });
  }

  /** As node does it before the first byte: the head goes through writeHead, whoever wraps it. */
  #tellWrappers(): void {
    this.#isImplicitHead = true;
    this.#response.writeHead(this.#response.statusCode);
    this.#isImplicitHead = false;
  }

  #begin(): void {
    if (this.#begun !== undefined) return;
    assertStatus(this.#response);
    this.#begun = new Begun(this.#response);
    const { flush } = this.#response as { flush?: AnyCall };
    if (typeof flush !== "function") return;
    this.#flush = flush;
    this.#begun.cover(this.#response, "flush", () => {
      this.#calls.push({ method: "flush", args: [] });
    });
  }
}

/** Calls the callback of a write or an end, wherever it stands. */
export function callBack(args: readonly unknown[], error: unknown): void {
  const callback = args.find((one) => typeof one === "function") as AnyCall | undefined;
  if (callback !== undefined) queueMicrotask(() => void callback(error));
}

/** Lets go of the streams that were piped into a response whose answer was dropped. */
export function dropSources(response: ServerResponse, error: unknown): void {
  const sources: Readable[] = [];
  const collect = (source: Readable): void => void sources.push(source);
  const ignore = (): void => undefined;
  response.on("unpipe", collect);
  response.on("error", ignore);
  // A listener for the error may destroy the response, which has yet to carry the error's answer.
  const uncover = cover(response, "destroy", () => response);
  try {
    const isTold = isConnected(response);
    for (const listener of response.rawListeners("error")) {
      // An adapter waits once for the response to end, as the error's answer will let it.
      if (isTold || !("listener" in listener)) listener.call(response, error);
    }
  } finally {
    uncover();
    response.off("unpipe", collect);
    response.off("error", ignore);
  }
  // A source that others read, too, goes on for them.
  for (const source of sources) if (source.listenerCount("data") === 0) source.destroy();
}

/** What node says of a head that comes too late. */
function headersSent(response: ServerResponse): Error {
  const [message, code] = isHttp2(response)
    ? ["Response has already been initiated.", "ERR_HTTP2_HEADERS_SENT"]
    : ["Cannot write headers after they are sent to the client", "ERR_HTTP_HEADERS_SENT"];
  return Object.assign(new Error(message), { code });
}

/** What node says of bytes that come behind the end. */
export function afterEnd(): Error {
  return Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" });
}

function destroyed(): Error {
  const message = "Cannot call write after a stream was destroyed";
  return Object.assign(new Error(message), { code: "ERR_STREAM_DESTROYED" });
}

/** What a reason phrase can't hold: RFC 9112 section 4. */
// oxlint-disable-next-line no-control-regex
const invalidReason = /[^\t\u0020-\u007e\u0080-\u00ff]/;

function assertStatusCode(statusCode: number): void {
  if (statusCode >= 100 && statusCode < 1000) return;
  const code = "ERR_HTTP_INVALID_STATUS_CODE";
  throw Object.assign(new RangeError(`Invalid status code: ${String(statusCode)}`), { code });
}

function assertStatus(response: ServerResponse): void {
  assertStatusCode(response.statusCode);
  // HTTP/2 has no reason, and warns whoever asks for it.
  if (isHttp2(response) || !invalidReason.test(response.statusMessage)) return;
  const code = "ERR_INVALID_CHAR";
  throw Object.assign(new TypeError("Invalid character in statusMessage"), { code });
}

function assertChunk(method: HeldMethod, chunk: unknown): void {
  const isAbsent = typeof chunk === "function" || !chunk;
  if (method === "flushHeaders" || (method === "end" && isAbsent)) return;
  if (typeof chunk === "string" || isBytes(chunk)) return;
  const code = chunk === null ? "ERR_STREAM_NULL_VALUES" : "ERR_INVALID_ARG_TYPE";
  const message = "the chunk of a response must be a string, a Buffer or a Uint8Array";
  throw Object.assign(new TypeError(message), { code });
}

/** Whether it is a Uint8Array, which a Buffer is; those of another realm are no instances of ours. */
function isBytes(chunk: unknown): boolean {
  return ArrayBuffer.isView(chunk) && (chunk as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}

function lengthOf(chunk: unknown): number {
  if (typeof chunk === "string") return chunk.length;
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}
