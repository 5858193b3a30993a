// Express with the drop-in on a real server, a client that keeps its cookie, and the kinds of stores that it
// is tried with.
import type { IncomingMessage, ServerResponse } from "node:http";
import express from "express";
import originalSession from "express-session";
import { SessionMemoryStore } from "kocha-session";
import session, {
  type Session,
  type SessionOptions,
  type Store,
} from "kocha-session/compat/express-session";
import { onTestFinished } from "vitest";
import { slowly } from "../../support/latency.ts";
import { listen } from "../../support/listen.ts";

/** A request with a session. */
export interface Request extends Omit<IncomingMessage, "session"> {
  session: Session;
  sessionID: string;
  sessionStore: Store;
}

export type Handler = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => unknown;

/** What a client got. */
interface Answer {
  readonly status: number;
  readonly body: string;
  /** The Set-Cookie values. */
  readonly setCookies: readonly string[];
  readonly headers: Headers;
}

/** A client with a cookie. */
export interface Client {
  (path?: string, headers?: Record<string, string>): Promise<Answer>;
  /** "name=value"; "": none. */
  cookie: string;
}

/** Between a call of a store and its answer, in milliseconds. */
const LATENCY = 5;

/** A store for express-session whose calls take a while, as across a network. */
export function slowStore(
  store: originalSession.Store = new originalSession.MemoryStore(),
): originalSession.Store {
  const calls = store as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of ["get", "set", "destroy", "touch"]) {
    const call = calls[name];
    if (call === undefined) continue;
    calls[name] = (...args) => void setTimeout(() => call.apply(store, args), LATENCY);
  }
  return store;
}

/** The kinds of stores. */
export const stores: Readonly<Record<string, () => SessionOptions["store"]>> = {
  "its own MemoryStore": () => undefined,
  "a store for express-session that takes a while": () => slowStore(),
  "a store of ours that takes a while": () => slowly(new SessionMemoryStore()),
};

export const SECRET = "a secret of at least thirty-two bytes";

/** Serves a handler with sessions on a real server. */
export async function serve(
  options: SessionOptions,
  handler: Handler,
  before: readonly Handler[] = [],
): Promise<{ readonly url: string; readonly client: () => Client }> {
  const app = express();
  for (const one of before) app.use(one as unknown as express.RequestHandler);
  app.use(session({ secret: SECRET, ...options }));
  app.use(handler as unknown as express.RequestHandler);
  app.use(((error: Error & { status?: number }, _, response, next) => {
    if (response.headersSent) next(error);
    else response.status(error.status ?? 500).send(error.message);
  }) as express.ErrorRequestHandler);
  const { url, close } = await listen(app);
  onTestFinished(close);
  return { url, client: () => clientOf(url) };
}

/** A client of a server. */
export function clientOf(url: string): Client {
  const client: Client = Object.assign(
    async (path = "/", headers: Record<string, string> = {}) => {
      const cookie: Record<string, string> = client.cookie === "" ? {} : { cookie: client.cookie };
      const answer = await fetch(url + path, {
        redirect: "manual",
        headers: { ...cookie, ...headers },
      });
      const setCookies = answer.headers.getSetCookie();
      const [pair] = (setCookies[0] ?? "").split(";", 1);
      if (pair) client.cookie = pair;
      return {
        status: answer.status,
        body: await answer.text(),
        setCookies,
        headers: answer.headers,
      };
    },
    { cookie: "" },
  );
  return client;
}

/** The sid in a cookie. */
export function sidIn(cookie: string): string {
  return /=s:([^.]+)\./.exec(decodeURIComponent(cookie))?.[1] ?? "";
}

/** An end of each request, by its path. */
export function routes(table: Readonly<Record<string, Handler>>): Handler {
  return (request, response, next) => {
    const handler = table[(request.url ?? "").split("?", 1)[0] ?? ""];
    if (handler !== undefined) return handler(request, response, next);
    response.end(JSON.stringify(request.session));
    return undefined;
  };
}
