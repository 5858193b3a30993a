// The answer that waits for a commit: it records the handler's calls, answers them as node would, and
// carries them out or drops them once the commit has settled. It knows no session.
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

/** The first answer of a response, not sent yet. */
export class HeldAnswer {
  readonly #response: ServerResponse;
  readonly #takeBackHead: () => void;
  readonly #calls: HeldCall[] = [];
  #begun: Begun | undefined;
  /** Compression's `flush`, mounted before us: it flushes everything that was written. */
  #flush: AnyCall | undefined;
  /** True while wrappers behind us are told of the head that leaves without a writeHead. */
  #isImplicitHead = false;
  /** True once a write returned false, so that `drain` must follow. */
  #owesDrain = false;
  /** True if the answer ended in an earlier turn, where node's own response would be finished by now. */
  #isThrough = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#takeBackHead = rememberHead(response);
  }

  /**
   * Records a call. A call that node would refuse throws now, where its caller can catch it.
   * @param isWrapped - true if a wrapper behind us has replaced writeHead.
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

  /** The answer of a host that sends by itself later: the response looks begun and ended meanwhile. */
  close(): void {
    this.#begin();
    this.#begun?.end();
  }

  /**
   * Carries the calls out.
   * @param prepare - called when headers can be set again, before the first call.
   * @throws the error of a call, whose caller has returned already.
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

  /** Drops everything: the response is as before the first call. */
  takeBack(): void {
    // A destruction was meant for a response that had begun, so it isn't carried out.
    this.#begun?.takeOff();
    this.#takeBackHead();
  }

  /** Tells the callers that their bytes will not be sent. */
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
    // The head that node makes by itself may have a Content-Length.
    if (!this.#isImplicitHead) this.#calls.push({ method: "writeHead", args: rest });
  }

  /** Sends the head by writeHead, with all its wrappers, as node does before the first byte. */
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

/** Calls the callback of a write or an end, at any place among the arguments. */
export function callBack(args: readonly unknown[], error: unknown): void {
  const callback = args.find((one) => typeof one === "function") as AnyCall | undefined;
  if (callback !== undefined) queueMicrotask(() => void callback(error));
}

/** Unpipes streams from a response with a dropped answer. */
export function dropSources(response: ServerResponse, error: unknown): void {
  const sources: Readable[] = [];
  const collect = (source: Readable): void => void sources.push(source);
  const ignore = (): void => undefined;
  response.on("unpipe", collect);
  response.on("error", ignore);
  // A listener for the error may destroy the response, which must still carry the error's answer.
  const uncover = cover(response, "destroy", () => response);
  try {
    const isTold = isConnected(response);
    for (const listener of response.rawListeners("error")) {
      // An adapter listens once for the response's end, which the error's answer will bring.
      if (isTold || !("listener" in listener)) listener.call(response, error);
    }
  } finally {
    uncover();
    response.off("unpipe", collect);
    response.off("error", ignore);
  }
  // A source with other readers continues for them.
  for (const source of sources) if (source.listenerCount("data") === 0) source.destroy();
}

/** Node's error of a head that comes too late. */
function headersSent(response: ServerResponse): Error {
  const [message, code] = isHttp2(response)
    ? ["Response has already been initiated.", "ERR_HTTP2_HEADERS_SENT"]
    : ["Cannot write headers after they are sent to the client", "ERR_HTTP_HEADERS_SENT"];
  return Object.assign(new Error(message), { code });
}

/** Node's error of bytes after the end. */
export function afterEnd(): Error {
  return Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" });
}

function destroyed(): Error {
  const message = "Cannot call write after a stream was destroyed";
  return Object.assign(new Error(message), { code: "ERR_STREAM_DESTROYED" });
}

/** Characters that no reason phrase may hold: RFC 9112 section 4. */
const invalidReason = /[^\t\u0020-\u007e\u0080-\u00ff]/;

function assertStatusCode(statusCode: number): void {
  if (statusCode >= 100 && statusCode < 1000) return;
  const code = "ERR_HTTP_INVALID_STATUS_CODE";
  throw Object.assign(new RangeError(`Invalid status code: ${String(statusCode)}`), { code });
}

function assertStatus(response: ServerResponse): void {
  assertStatusCode(response.statusCode);
  // HTTP/2 has no reason phrase, and warns when it is read.
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

/** True for a Uint8Array or a Buffer, of any realm. */
function isBytes(chunk: unknown): boolean {
  return ArrayBuffer.isView(chunk) && (chunk as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}

function lengthOf(chunk: unknown): number {
  if (typeof chunk === "string") return chunk.length;
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}
