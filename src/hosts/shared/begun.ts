// Makes a response with waiting bytes look begun, so that a second answer is refused as node refuses
// it. It knows node's responses, no session and no queue.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { cover, DeferredDestroy, type Undo } from "./deferred-destroy.ts";
import { isHttp2, renderedHead } from "./head.ts";

type AnyCall = (...args: unknown[]) => unknown;

/** The part of an HTTP/2 stream that is read. */
interface Http2Stream {
  readonly closed: boolean;
  readonly destroyed: boolean;
  readonly session?: { readonly destroyed: boolean };
}

/** Makes a response look begun, from the first held call until `takeOff`. */
export class Begun {
  readonly #response: ServerResponse;
  readonly #statusCode: number;
  readonly #reason: string | undefined;
  readonly #undo: Undo[] = [];
  /** Listeners for `drain`, which a wrapper may have kept for its own stream. */
  readonly #drainListeners: AnyCall[] = [];
  /** The deferred destruction of the response and of its connection. */
  readonly #deferred: DeferredDestroy[] = [];
  #looksDestroyed = false;
  #isEnded = false;
  #bytes = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#statusCode = response.statusCode;
    // HTTP/2 checks its stream, and has no reason phrase; node:http checks for a rendered head.
    if (isHttp2(response)) {
      const stream = streamOf(response);
      this.cover(stream, "headersSent", true);
      this.#deferDestroy(stream, () => stream.closed || stream.session?.destroyed !== false);
    } else {
      this.#reason = response.statusMessage;
      const rendered = renderedHead(response);
      const head = rendered ?? `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n\r\n`;
      this.cover(response, "_header", head);
      // Node derives it from the head; Bun doesn't.
      if (!response.headersSent) this.cover(response, "headersSent", true);
      // An error that comes to the socket is the connection's own: it is lost.
      const socket = socketOf(response);
      if (socket !== undefined) this.#deferDestroy(socket, (error) => Boolean(error));
    }
    this.#deferDestroy(response, () => false);
    if (Object.hasOwn(response, "on")) this.#watchDrain();
  }

  /** Counts waiting bytes; gives the result of a write: true if more may be written at once. */
  add(length: number): boolean {
    this.#bytes += length;
    this.#addOutput(length);
    return this.#bytes < (this.#response.writableHighWaterMark ?? 16 * 1024);
  }

  /** True once the answer is complete. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Makes the response look ended; not without a connection, where an adapter would take it for sent. */
  end(): void {
    this.#isEnded = true;
    if (!isConnected(this.#response)) return;
    this.cover(this.#response, "finished", true);
    // node:http's other fields follow from this one and from the count of waiting bytes.
    if (isHttp2(this.#response)) this.cover(this.#response, "writableEnded", true);
    else this.add(1);
  }

  /**
   * Restores the response and its first status, so that another answer can be given.
   * @returns a function that carries out a deferred destruction, to be called once the answer is sent.
   */
  takeOff(): () => void {
    for (const undo of this.#undo.toReversed()) undo();
    const destroys = this.#deferred.toReversed().map((one) => one.release(this.#lookDestroyed));
    this.#addOutput(-this.#bytes);
    this.#response.statusCode = this.#statusCode;
    if (!isHttp2(this.#response)) this.#response.statusMessage = this.#reason as string;
    return () => {
      for (const destroy of destroys) destroy();
    };
  }

  /** Emits `drain` to all listeners, including those that a wrapper kept. */
  emitDrain(): void {
    const heard = this.#response.rawListeners("drain");
    this.#response.emit("drain");
    for (const listener of this.#drainListeners) {
      if (!heard.includes(listener)) listener.call(this.#response);
    }
  }

  /** Makes the response take no more bytes, as after the destruction of its connection. */
  readonly #lookDestroyed = (): void => {
    if (this.#looksDestroyed) return;
    this.#looksDestroyed = true;
    this.cover(this.#response, "destroyed", true);
    if (isHttp2(this.#response)) return;
    const [socket] = this.#deferred;
    socket?.show("destroyed", true);
    socket?.show("writable", false);
  };

  /** Covers a property until `takeOff`. */
  cover(target: object, name: string, value: unknown): void {
    this.#undo.push(cover(target, name, value));
  }

  /** Defers a destruction until the answer is sent, unless the connection is lost anyway. */
  #deferDestroy(target: object, isGone: (error: unknown) => boolean): void {
    if (typeof (target as { destroy?: unknown }).destroy !== "function") return;
    this.#deferred.push(DeferredDestroy.wait(target, isGone, this.#lookDestroyed));
  }

  /** Compression, mounted before us, keeps listeners for `drain` for its stream, which doesn't exist yet. */
  #watchDrain(): void {
    const { on } = this.#response as unknown as { readonly on: AnyCall };
    this.cover(this.#response, "on", (type: unknown, listener: AnyCall) => {
      if (type === "drain") this.#drainListeners.push(listener);
      return on.call(this.#response, type, listener);
    });
  }

  /** node:http counts waiting bytes in this field, from which `writableLength` and `writableFinished` follow. */
  #addOutput(length: number): void {
    const output = this.#response as unknown as { outputSize?: number };
    if (output.outputSize !== undefined)
      output.outputSize = Math.max(0, output.outputSize + length);
  }
}

/** The connection, also of a pipelined response that isn't assigned to it yet. */
function socketOf(response: ServerResponse): Socket | undefined {
  return response.socket ?? (response.req as IncomingMessage | undefined)?.socket;
}

/**
 * True for a response on a server's connection. Adapters for gateways and test tools have none, and take
 * the answer from the response itself as soon as it has ended.
 */
export function isConnected(response: ServerResponse): boolean {
  if (isHttp2(response)) return true;
  // On Node.js and Bun a connection has its server.
  const socket = socketOf(response) as { readonly server?: unknown } | undefined;
  return socket?.server !== undefined && socket.server !== null;
}

function streamOf(response: ServerResponse): Http2Stream {
  return (response as unknown as { readonly stream: Http2Stream }).stream;
}

/** True once the client is gone; with HTTP/2 only the stream shows it. */
export function isClosed(response: ServerResponse): boolean {
  return response.destroyed || (isHttp2(response) && streamOf(response).destroyed);
}
