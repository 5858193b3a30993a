// Hono 4 on @hono/node-server.
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { AddressInfo } from "node:net";
import type { Awaitable, BenchServer } from "../../lib/subject.ts";
import { after, nextValue, page, routes } from "../routes.ts";

/** What a subject does on Hono. */
export interface HonoActions {
  readonly mount?: (app: Hono) => void;
  readonly login: (context: Context) => Awaitable<void>;
  /** The session's "name". */
  readonly read: (context: Context) => Awaitable<string | undefined>;
  /** Sets "csrf" and saves. */
  readonly write: (context: Context, value: string) => Awaitable<void>;
}

/** Serves a function of the Fetch API on a free loopback port. */
export function serveFetch(fetch: (request: Request) => Awaitable<Response>): Promise<BenchServer> {
  return new Promise((resolve) => {
    serve({ fetch, port: 0, hostname: "127.0.0.1" }, ({ port }: AddressInfo) => resolve({ port }));
  });
}

/** A server with the routes. */
export function onHono(actions: HonoActions): Promise<BenchServer> {
  const app = new Hono();
  actions.mount?.(app);
  app.get(routes.read, (context) =>
    after(actions.read(context), (name) => context.text(page(name))),
  );
  app.get(routes.write, (context) =>
    after(actions.write(context, nextValue()), () => context.text(page("alice"))),
  );
  app.get(routes.login, (context) =>
    after(actions.login(context), () => context.text(page("alice"))),
  );
  app.get(routes.idle, (context) => context.text(page("alice")));
  return serveFetch((request) => app.fetch(request));
}
