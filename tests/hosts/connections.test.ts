// What a held response does to its connection, byte by byte: the order of pipelined responses,
// informational answers, old versions of HTTP, and what a handler does to the socket.
import { connect } from "node:net";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { sessionMiddleware } from "kocha-session/node";
import { expect, onTestFinished, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowStore } from "../support/slow-store.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** All that the server writes for these bytes, until it has written `end` or closes. */
async function exchange(handler: Handler, bytes: string, end: string): Promise<string> {
  const session = sessionMiddleware({
    store: slowStore().store,
    signingKey: freshKey(),
    secure: false,
  });
  const server = createServer();
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    session(request, response, () => {
      if (request.url !== "/plain") request.session.set("a", "1");
      handler(request, response);
    });
  server.on("request", answer);
  const { port, close } = await listen(server);
  onTestFinished(close);
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let seen = "";
    socket.on("data", (chunk: Buffer) => {
      seen += chunk.toString("latin1");
      if (seen.endsWith(end)) socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(seen));
  });
}

const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

function countOf(text: string, part: string): number {
  return text.split(part).length - 1;
}

test("pipelined responses keep their order, each with its cookie", async () => {
  const handler: Handler = (request, response) => {
    response.setHeader("Content-Type", "text/plain");
    response.end(`body of ${request.url ?? ""}`);
  };
  const seen = await exchange(handler, get("/1") + get("/plain") + get("/3"), "body of /3");
  const bodies = [...seen.matchAll(/body of (\/[a-z0-9]+)/g)].map(([, path]) => path);
  expect(bodies).toEqual(["/1", "/plain", "/3"]);
  expect(countOf(seen, "Set-Cookie: session=")).toBe(2);
  expect(countOf(seen, "HTTP/1.1 200 OK")).toBe(3);
});

test("an early hint goes out at once, before the held head", async () => {
  const handler: Handler = (_, response) => {
    response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
    response.writeHead(200, { "Content-Length": 4 });
    response.end("body");
  };
  const seen = await exchange(handler, get("/"), "body");
  expect(seen).toMatch(/^HTTP\/1.1 103 Early Hints\r\n[^]+\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  expect(countOf(seen, "HTTP/1.1")).toBe(2);
});

test("a client that expects 100 Continue gets it, then the held answer", async () => {
  const handler: Handler = (request, response) => {
    request.resume();
    request.once("end", () => response.end("body"));
  };
  const bytes = `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`;
  const seen = await exchange(handler, bytes, "body");
  expect(seen).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  expect(countOf(seen, "Set-Cookie: session=")).toBe(1);
});

test("HTTP/1.0 gets the answer and the end of the connection", async () => {
  const handler: Handler = (_, response) => {
    response.write("bo");
    response.end("dy");
  };
  const seen = await exchange(handler, "GET / HTTP/1.0\r\n\r\n", "\0");
  expect(seen).toMatch(/^HTTP\/1.1 200 OK\r\n[^]+\r\n\r\nbody$/);
  expect(countOf(seen, "Set-Cookie: session=")).toBe(1);
  expect(seen).not.toContain("chunked");
});

test("trailers that are added while the response is held go out", async () => {
  const handler: Handler = (_, response) => {
    response.writeHead(200, { Trailer: "X-Sum" });
    response.write("body");
    response.addTrailers({ "X-Sum": "4" });
    response.end();
  };
  const seen = await exchange(handler, get("/"), "X-Sum: 4\r\n\r\n");
  expect(seen).toContain("\r\n4\r\nbody\r\n0\r\nX-Sum: 4\r\n\r\n");
});

test("a corked response is held and arrives whole", async () => {
  const handler: Handler = (_, response) => {
    response.cork();
    response.write("one ");
    response.write("two ");
    setImmediate(() => {
      response.uncork();
      response.end("three");
    });
  };
  const seen = await exchange(handler, get("/"), "\r\n0\r\n\r\n");
  const body = seen
    .slice(seen.indexOf("\r\n\r\n") + 4)
    .replaceAll(/[0-9a-f]+\r\n(.*)\r\n/g, "$1")
    .trim();
  expect(body).toBe("one two three");
  expect(countOf(seen, "Set-Cookie: session=")).toBe(1);
});

test("a header that is appended while the response is held is refused, as by node", async () => {
  const codes: unknown[] = [];
  const handler: Handler = (_, response) => {
    response.appendHeader("X-Own", "1").appendHeader("X-Own", "2");
    response.write("bo");
    try {
      response.appendHeader("X-Own", "3");
    } catch (error) {
      codes.push((error as { code?: string }).code);
    }
    response.end("dy");
  };
  const seen = await exchange(handler, get("/"), "\r\n0\r\n\r\n");
  expect(countOf(seen, "X-Own: ")).toBe(2);
  expect(codes).toEqual(["ERR_HTTP_HEADERS_SENT"]);
});

test("a client that leaves while its answer is held ends that connection, and no more", async () => {
  const closed = new Promise<void>((resolve, reject) => {
    const handler: Handler = (request, response) => {
      response.once("close", resolve);
      response.write("never seen");
      request.socket.destroy(new Error("the connection broke, as it was told to"));
    };
    exchange(handler, get("/"), "\0").catch(reject);
  });
  await closed;
});
