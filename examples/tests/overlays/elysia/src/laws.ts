// Serves each case by Elysia's own server.
import { Elysia } from "elysia";
import { deviceBinding } from "kocha-session/device";
import { session } from "kocha-session/elysia";
import * as testing from "kocha-session/testing";
import { runLaws } from "../run-laws.js";

/** Serves a handler on every path that has up to twelve words, as routes of Bun's own server. */
const makeServer: testing.MakeServer = async (config, handler) => {
  const app = new Elysia().use(session(config)).use(session(config));
  for (let words = 1; words <= 12; words++) {
    const path = Array.from({ length: words }, (_, index) => `/:word${index}`).join("");
    app.all(path, async ({ request, session }) => {
      const { status, body, headers = {} } = await handler(session, new URL(request.url));
      return new Response(status === 204 || status === 303 ? null : body, { status, headers });
    });
  }
  app.post("/form", async ({ session, redirect }) => {
    await session.regenerate();
    session.set("user", "ann");
    session.bindDevice();
    return redirect("/read", 303);
  });
  app.all("*", async ({ request, session }) => {
    const { status, body, headers = {} } = await handler(session, new URL(request.url));
    return new Response(status === 204 || status === 303 ? null : body, { status, headers });
  });
  app.listen({ port: 0, hostname: "127.0.0.1" });
  const close = async (): Promise<void> => {
    await app.stop(true);
  };
  return { url: `http://127.0.0.1:${app.server?.port}`, close };
};

await runLaws(testing, makeServer, deviceBinding);
