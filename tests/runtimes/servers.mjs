// Real servers of the runtime that this runs on, for the hosts of the Fetch API: Bun.serve,
// Deno.serve, or node:http under its adapter. It runs on the installed package, so it is plain
// JavaScript, and it imports what only one runtime has where it is needed.
import { Elysia } from "elysia";
import { H3 } from "h3";
import { Hono } from "hono";
import { session as elysiaSession } from "kocha-session/elysia";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";

/** The name of the runtime, as its own globals say. */
export const runtime = globalThis.Bun ? "Bun" : globalThis.Deno ? "Deno" : "Node.js";

/** Serves a function of the Fetch API on a free loopback port. */
export async function serve(fetch) {
  const loopback = { port: 0, hostname: "127.0.0.1" };
  if (runtime === "Bun") {
    const server = globalThis.Bun.serve({ ...loopback, idleTimeout: 60, fetch });
    return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
  }
  if (runtime === "Deno") {
    const abort = new AbortController();
    const onListen = () => undefined;
    const server = globalThis.Deno.serve({ ...loopback, signal: abort.signal, onListen }, fetch);
    const close = async () => {
      abort.abort();
      await server.finished;
    };
    return { url: `http://127.0.0.1:${server.addr.port}`, close };
  }
  const [{ createServer }, { getRequestListener }] = await Promise.all([
    import("node:http"),
    import("@hono/node-server"),
  ]);
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => void listener(request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

function toResponse({ status, body, headers = {} }) {
  return new Response(status === 204 || status === 303 ? null : body, { status, headers });
}

const statusOf = (error) => error.status ?? 500;

/** A server of each host for a handler, as the conformance kit wants them. */
export const hosts = {
  fetch: (config, handler) =>
    serve(
      withSession(
        config,
        async (request, session) => toResponse(await handler(session, new URL(request.url))),
        { onError: (error) => new Response("error", { status: statusOf(error) }) },
      ),
    ),
  hono: (config, handler) => {
    const app = new Hono();
    app.use(honoSession(config), honoSession(config));
    app.all("*", async (context) =>
      toResponse(await handler(context.get("session"), new URL(context.req.url))),
    );
    app.onError((error) => new Response("error", { status: statusOf(error) }));
    return serve(app.fetch);
  },
  h3: (config, handler) => {
    const app = new H3({ silent: true });
    app.use(h3Session(config));
    app.use(h3Session(config));
    app.all("/**", async (event) => toResponse(await handler(sessionOf(event), event.url)));
    return serve((request) => app.fetch(request));
  },
  elysia: (config, handler) => {
    const app = new Elysia()
      .use(elysiaSession(config))
      .use(elysiaSession(config))
      .all("*", async ({ session, request }) =>
        toResponse(await handler(session, new URL(request.url))),
      );
    return serve((request) => app.handle(request));
  },
};
