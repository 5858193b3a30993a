// The path that an engine answers itself, such as that of device-bound sessions: what all hosts share. It
// imports nothing of Node.js and knows no framework.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection } from "../../engine/connection.ts";
import type { OwnAnswer, OwnRequest } from "../../engine/device.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";

/**
 * The engine's own answer to a request; undefined: the request is for the application.
 *
 * ORDER: hosts ask `engine.devices` first, so that most engines, which have none, cost no closures.
 * @param url - a path with its query, or a whole URL.
 */
function ownAnswer(
  engine: SessionMiddleware,
  url: string,
  request: OwnRequest,
  connection: () => Connection,
  env?: unknown,
): Promise<OwnAnswer> | undefined {
  const { devices } = engine;
  // Almost no URL holds it anywhere: those needn't be taken apart.
  if (devices === undefined || !url.includes(devices.path)) return undefined;
  if (pathOf(url) !== devices.path) return undefined;
  return devices.answer(request, engine, connection(), env);
}

/** As `ownAnswer`, for hosts on the Fetch API: as a Response. */
export function ownResponse(
  engine: SessionMiddleware,
  request: Pick<Request, "url" | "method" | "headers">,
  connection: () => Connection,
  env?: unknown,
): Promise<Response> | undefined {
  const asked = {
    method: request.method,
    header: (name: string) => request.headers.get(name) ?? undefined,
  };
  return ownAnswer(engine, request.url, asked, connection, env)?.then(toResponse);
}

/** As a Response. */
export function toResponse({ status, headers, body }: OwnAnswer): Response {
  const response = new Response(body, { status });
  addHeaders(headers, response.headers);
  return response;
}

/** The engine's own answer with the headers and cookies beside it that a middleware has set before. */
export function beside(before: Headers, answer: Response): Response {
  const { headers } = answer;
  for (const [name, value] of before) {
    if (name === "set-cookie") headers.append(name, value);
    else if (!headers.has(name)) headers.set(name, value);
  }
  return answer;
}

/**
 * Adds the headers to a response's. One that a middleware has set before gives way, since two values of most
 * headers are none; only cookies add up.
 */
export function addHeaders(headers: OwnAnswer["headers"], to: OwnHeaders): void {
  for (const [name, value] of headers) {
    if (name === "Set-Cookie") to.append(name, value);
    else to.set(name, value);
  }
}

/** The headers of a response, as each host has them. */
interface OwnHeaders {
  set(name: string, value: string): unknown;
  append(name: string, value: string): unknown;
}

/** A request of node:http; routers such as Express's cut the path that they are mounted at from `url`. */
type RoutedRequest = IncomingMessage & { readonly originalUrl?: string };

/** As `ownAnswer`, for hosts on node:http. */
export function ownNodeAnswer(
  engine: SessionMiddleware,
  request: RoutedRequest,
  connection: () => Connection,
  url: string = request.originalUrl ?? request.url ?? "",
): Promise<OwnAnswer> | undefined {
  const { method = "", headers } = request;
  const asked = {
    method,
    header: (name: string) => {
      const value = headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
  };
  return ownAnswer(engine, url, asked, connection);
}

/** Sends the engine's own answer on node:http. */
export function sendOwnAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: OwnAnswer,
): void {
  // Nobody reads its body, which is empty as a browser sends it.
  request.resume();
  response.statusCode = status;
  addHeaders(headers, {
    set: (name, value) => response.setHeader(name, value),
    append: (name, value) => response.appendHeader(name, value),
  });
  response.end(body);
}

/** The path of a URL, or of a path with its query. */
function pathOf(url: string): string {
  const path = url.startsWith("/") ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  return path.replace(/[?#].*$/s, "");
}
