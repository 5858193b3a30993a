// Clients of a snippet's servers: HTTP with a cookie jar of one cookie, HTTP/2, and a WebSocket.
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { WebSocket } from "ws";

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly setCookie: readonly string[];
}

/** A client with one cookie jar of one cookie, as far as the documents need one. */
export class Visitor {
  readonly #url: string;
  cookie = "";

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  async visit(path: string, method = "GET"): Promise<Answer> {
    const { cookie } = this;
    const response = await fetch(this.#url + path, {
      method,
      redirect: "manual",
      // As browsers do with a form of the site's own.
      headers: { ...(cookie !== "" && { cookie }), ...(method !== "GET" && { origin: this.#url }) },
    });
    const setCookie = response.headers.getSetCookie();
    const sent = setCookie[0]?.split(";", 1)[0];
    if (sent !== undefined) this.cookie = sent.endsWith("=") ? "" : sent;
    return { status: response.status, body: await response.text(), setCookie };
  }
}

/** A request over HTTP/2. */
export async function visitByHttp2(port: number, path: string, cookie: string): Promise<Answer> {
  const client = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = client.request({ ":path": path, cookie });
    const status = new Promise<number>((resolve, reject) => {
      stream.once("response", (headers) => resolve(headers[":status"] ?? 0));
      stream.once("error", reject);
    });
    return { status: await status, body: await text(stream), setCookie: [] };
  } finally {
    client.close();
  }
}

/** What a socket is told first, or the status that refuses it. */
export function connectByWebSocket(port: number, cookie: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { cookie } });
    socket.once("unexpected-response", (_, { statusCode }) => resolve(String(statusCode)));
    socket.once("message", (message: Buffer) => {
      resolve(message.toString());
      socket.close();
    });
    socket.once("error", reject);
  });
}
