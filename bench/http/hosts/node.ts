// Plain node:http.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Awaitable, BenchServer } from "../../lib/subject.ts";
import { after, nextValue, page, routes } from "../routes.ts";

/** A request listener. */
type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** What a subject does on node:http. */
export interface NodeActions {
  /** Makes the listener with sessions of one without. */
  readonly wrap?: (route: Listener) => Listener;
  /** Connect's middleware, where there is no wrapper. */
  readonly mount?: (
    request: IncomingMessage,
    response: ServerResponse,
    next: (error?: unknown) => void,
  ) => unknown;
  readonly login: (request: IncomingMessage, response: ServerResponse) => Awaitable<void>;
  /** The session's "name". */
  readonly read: (
    request: IncomingMessage,
    response: ServerResponse,
  ) => Awaitable<string | undefined>;
  /** Sets "csrf" and saves. */
  readonly write: (
    request: IncomingMessage,
    response: ServerResponse,
    value: string,
  ) => Awaitable<void>;
}

/** Listens on a free loopback port. */
export async function listen(listener: Listener): Promise<BenchServer> {
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { port: (server.address() as AddressInfo).port };
}

/** A server with the routes. */
export function onNode(actions: NodeActions): Promise<BenchServer> {
  const { mount, wrap } = actions;
  const answer = (response: ServerResponse, text: string): void => {
    response.setHeader("Content-Type", "text/plain; charset=utf-8");
    response.setHeader("Content-Length", text.length);
    response.end(text);
  };
  const route = (request: IncomingMessage, response: ServerResponse): unknown => {
    switch (request.url ?? "") {
      case routes.read:
        return after(actions.read(request, response), (name) => answer(response, page(name)));
      case routes.write:
        return after(actions.write(request, response, nextValue()), () =>
          answer(response, page("alice")),
        );
      case routes.login:
        return after(actions.login(request, response), () => answer(response, page("alice")));
      default:
        return answer(response, page("alice"));
    }
  };
  if (wrap !== undefined) return listen(wrap(route));
  if (mount === undefined) return listen(route);
  return listen((request, response) =>
    mount(request, response, (error) => {
      if (error !== undefined && error !== null) throw error as Error;
      route(request, response);
    }),
  );
}
