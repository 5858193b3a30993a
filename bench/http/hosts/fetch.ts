// A plain function of the Fetch API, served by @hono/node-server.
import type { Awaitable, BenchServer } from "../../lib/subject.ts";
import { routes } from "../routes.ts";
import { serveFetch } from "./hono.ts";

type Handler = (request: Request) => Awaitable<Response>;

/** What a subject answers; each handler is the subject's whole way from Request to Response. */
export interface FetchActions {
  readonly login: Handler;
  readonly read: Handler;
  readonly write: Handler;
  readonly idle: Handler;
}

/** A server with the routes. */
export function onFetch(actions: FetchActions): Promise<BenchServer> {
  return serveFetch((request) => {
    const { url } = request;
    switch (url.slice(url.indexOf("/", "http://".length))) {
      case routes.read:
        return actions.read(request);
      case routes.write:
        return actions.write(request);
      case routes.login:
        return actions.login(request);
      default:
        return actions.idle(request);
    }
  });
}
