// The demo's few lines above node:http: routes, forms, pages with their headers, and what is answered
// when there is no such page, or something fails.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session } from "kocha-session";

/** Bytes of a form. */
const MAX_FORM = 16_384;

/** No script and no style except the demo's own files, no frame except its own pages. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "frame-src 'self'",
  "frame-ancestors 'self'",
  "form-action 'self'",
  "base-uri 'none'",
].join("; ");

/** A request with what its handler needs. */
export interface Visit<Held = Session> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The visitor's session; undefined on sites without one of ours. */
  readonly session: Held;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Empty unless it is a POST. */
  readonly form: URLSearchParams;
}

/** Handlers by method and path, such as "GET /cart". */
export type Routes<Held = Session> = Readonly<Record<string, (visit: Visit<Held>) => unknown>>;

/** The page that reports a status, such as 404. */
export type StatusPage<Held = Session> = (visit: Visit<Held>, status: number) => string;

/** An error that is the client's. */
class ClientFault extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** The address of a request; one that can't be read leads nowhere. */
export function urlOf({ url = "/" }: IncomingMessage): URL {
  // A path that begins with two slashes would name a host.
  return new URL(url.replace(/^\/+/, "/"), "http://demo.invalid");
}

/** A listener that finds the handler of a request, for `withSession`, or for a site without sessions. */
export function listenerOf<Held>(
  routes: Routes<Held>,
  statusPage: StatusPage<Held>,
): (request: IncomingMessage, response: ServerResponse, session: Held) => Promise<void> {
  return async (request, response, session) => {
    const { pathname, searchParams: query } = urlOf(request);
    const path = pathname.length > 1 ? pathname.replace(/\/$/, "") : pathname;
    const form = new URLSearchParams();
    const visit: Visit<Held> = { request, response, session, path, query, form };
    try {
      const method = request.method === "HEAD" ? "GET" : (request.method ?? "");
      const key = `${method} ${path}`;
      const handler = Object.hasOwn(routes, key) ? routes[key] : undefined;
      if (handler === undefined) throw new ClientFault(404);
      if (method === "GET") await handler(visit);
      else {
        assertOwn(request);
        await handler({ ...visit, form: await readForm(request) });
      }
    } catch (error) {
      if (response.headersSent) throw error;
      const status = (error as { readonly status?: number } | null)?.status ?? 500;
      if (!(error instanceof ClientFault)) console.error(error);
      sendPage(response, statusPage(visit, status), status);
    }
  };
}

/** Changes come only from the demo's own pages: a session says who asks, not whether they meant to. */
function assertOwn({ headers }: IncomingMessage): void {
  const site = headers["sec-fetch-site"];
  const { host = "", origin } = headers;
  const isOwn =
    site === undefined
      ? origin === undefined || origin.endsWith(`//${host}`)
      : site === "same-origin" || site === "none";
  if (!isOwn) throw new ClientFault(403);
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_FORM) throw new ClientFault(413);
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

/** Sends a file's text. */
export function sendText(response: ServerResponse, type: string, text: string): void {
  response.setHeader("Content-Type", `${type}; charset=utf-8`);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.end(text);
}

/** Sends a page. */
export function sendPage(response: ServerResponse, page: string, status = 200): void {
  response.statusCode = status;
  response.setHeader("Content-Security-Policy", CONTENT_SECURITY_POLICY);
  response.setHeader("Referrer-Policy", "same-origin");
  sendText(response, "text/html", page);
}

/** Sends JSON, which nobody keeps. */
export function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("Cache-Control", "no-store");
  sendText(response, "application/json", JSON.stringify(value));
}

/** Sends the browser on to a page, after a form. */
export function redirect(response: ServerResponse, path: string): void {
  response.statusCode = 303;
  response.setHeader("Location", path);
  response.end();
}

/** The cookies of a Cookie header, by name. */
export function cookiesOf(header = ""): Map<string, string> {
  const pairs = header.split(/; */).filter((pair) => pair.includes("="));
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
}

/** Adds a Set-Cookie header. */
export function addCookie(response: ServerResponse, cookie: string): void {
  response.appendHeader("Set-Cookie", cookie);
}
