// How a response looks whose first bytes are given but wait: begun, as node's own is, so that a
// second answer is refused as node refuses it. It knows node's responses, no session and no queue.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { cover, DeferredDestroy, type Undo } from "./deferred-destroy.ts";
import { isHttp2, renderedHead } from "./head.ts";

type AnyCall = (...args: unknown[]) => unknown;

/** The part of an HTTP/2 stream that is looked at. */
interface Http2Stream {
  readonly closed: boolean;
  readonly destroyed: boolean;
  readonly session?: { readonly destroyed: boolean };
}

/** The look of a response that has begun, from the first held call until it is taken off. */
export class Begun {
  readonly #response: ServerResponse;
  readonly #statusCode: number;
  readonly #reason: string | undefined;
  readonly #undo: Undo[] = [];
  /** Listeners for `drain` that a wrapper may have kept for a stream of its own. */
  readonly #drainListeners: AnyCall[] = [];
  /** The response and its connection, which aren't destroyed before the answer is out. */
  readonly #deferred: DeferredDestroy[] = [];
  #looksDestroyed = false;
  #isEnded = false;
  #bytes = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#statusCode = response.statusCode;
    // HTTP/2 asks its stream and has no reason; node:http asks whether there is a rendered head.
    if (isHttp2(response)) {
      const stream = streamOf(response);
      this.cover(stream, "headersSent", true);
      this.#deferDestroy(stream, () => stream.closed || stream.session?.destroyed !== false);
    } else {
      this.#reason = response.statusMessage;
      const rendered = renderedHead(response);
      const head = rendered ?? `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n\r\n`;
      this.cover(response, "_header", head);
      // In node this follows from the head; in Bun it doesn't.
      if (!response.headersSent) this.cover(response, "headersSent", true);
      // An error that comes to the socket is the connection's own: it is lost.
      const socket = socketOf(response);
      if (socket !== undefined) this.#deferDestroy(socket, (error) => Boolean(error));
    }
    this.#deferDestroy(response, () => false);
    if (Object.hasOwn(response, "on")) this.#watchDrain();
  }

  /** Counts bytes that wait; gives what a write answers: whether more may be written at once. */
  add(length: number): boolean {
    this.#bytes += length;
    this.#addOutput(length);
    return this.#bytes < (this.#response.writableHighWaterMark ?? 16 * 1024);
  }

  /** Whether the answer is whole. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** From here on the response looks ended; an adapter would take it for sent. */
  end(): void {
    this.#isEnded = true;
    if (!isConnected(this.#response)) return;
    this.cover(this.#response, "finished", true);
    // node:http's follow from that one field and from what waits to be sent.
    if (isHttp2(this.#response)) this.cover(this.#response, "writableEnded", true);
    else this.add(1);
  }

  /**
   * Takes the look off, with the status that the response began with: it can be given anew.
   * @returns carries out what was asked of the connection meanwhile, once the answer is with it.
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

  /** Tells everyone who waits for it that more may be written. */
  emitDrain(): void {
    const heard = this.#response.rawListeners("drain");
    this.#response.emit("drain");
    for (const listener of this.#drainListeners) {
      if (!heard.includes(listener)) listener.call(this.#response);
    }
  }

  /** From here on nothing more is taken, as by a response whose connection was destroyed. */
  readonly #lookDestroyed = (): void => {
    if (this.#looksDestroyed) return;
    this.#looksDestroyed = true;
    this.cover(this.#response, "destroyed", true);
    if (isHttp2(this.#response)) return;
    const [socket] = this.#deferred;
    socket?.show("destroyed", true);
    socket?.show("writable", false);
  };

  /** Covers a property for as long as the response has this look. */
  cover(target: object, name: string, value: unknown): void {
    this.#undo.push(cover(target, name, value));
  }

  /** Lets the answer out first, unless the connection is gone anyway. */
  #deferDestroy(target: object, isGone: (error: unknown) => boolean): void {
    if (typeof (target as { destroy?: unknown }).destroy !== "function") return;
    this.#deferred.push(DeferredDestroy.wait(target, isGone, this.#lookDestroyed));
  }

  /** Compression, mounted before us, sends who waits for `drain` to a stream that isn't there yet. */
  #watchDrain(): void {
    const { on } = this.#response as unknown as { readonly on: AnyCall };
    this.cover(this.#response, "on", (type: unknown, listener: AnyCall) => {
      if (type === "drain") this.#drainListeners.push(listener);
      return on.call(this.#response, type, listener);
    });
  }

  /** node:http counts what waits in this field; `writableLength` and `writableFinished` follow. */
  #addOutput(length: number): void {
    const output = this.#response as unknown as { outputSize?: number };
    if (output.outputSize !== undefined)
      output.outputSize = Math.max(0, output.outputSize + length);
  }
}

/** The connection, also of a response whose turn on it hasn't come: a pipelined one. */
function socketOf(response: ServerResponse): Socket | undefined {
  return response.socket ?? (response.req as IncomingMessage | undefined)?.socket;
}

/**
 * Whether the response goes to a client, over a server's connection. Adapters for gateways and test
 * tools have none, and take the answer from the response itself as soon as it has ended.
 */
export function isConnected(response: ServerResponse): boolean {
  if (isHttp2(response)) return true;
  // Node.js and Bun tell a connection its server.
  const socket = socketOf(response) as { readonly server?: unknown } | undefined;
  return socket?.server !== undefined && socket.server !== null;
}

function streamOf(response: ServerResponse): Http2Stream {
  return (response as unknown as { readonly stream: Http2Stream }).stream;
}

/** Whether the client has gone; HTTP/2's response shows it only by its stream. */
export function isClosed(response: ServerResponse): boolean {
  return response.destroyed || (isHttp2(response) && streamOf(response).destroyed);
}
