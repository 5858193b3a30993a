// Serves each case by one application of AdonisJS, with sessions around it as bin/server.ts has them.
import "reflect-metadata";
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Ignitor } from "@adonisjs/core";
import type { SessionConfig } from "kocha-session";
import { withSession } from "kocha-session/node";
import * as testing from "kocha-session/testing";

Object.assign(process.env, {
  APP_KEY: crypto.randomUUID(),
  HOST: "127.0.0.1",
  PORT: "0",
  NODE_ENV: "production",
});
const root = new URL("../", import.meta.url);
const importer = (file: string): unknown =>
  import(file.startsWith(".") ? new URL(file, root).href : file);
const cases = new AsyncLocalStorage<testing.ProbeHandler>();
let handle: RequestListener = () => undefined;

await new Ignitor(root, { importer })
  .tap((app) => {
    app.starting(async () => {
      const router = await app.container.make("router");
      /** A login that offers to bind the session to the browser's device. */
      router.post("/form", async ({ request, response }) => {
        const { session } = request.request;
        await session.regenerate();
        session.set("user", "ann");
        session.bindDevice();
        return response.redirect().status(303).toPath("/read");
      });
      router.any("/laws/*", async ({ request, response }) => {
        const handler = cases.getStore();
        if (handler === undefined) return response.status(404).send("no case");
        const url = new URL((request.request.url ?? "/").replace("/laws/", "/"), "http://host");
        const { status, body, headers = {} } = await handler(request.request.session, url);
        for (const [name, value] of Object.entries(headers)) response.header(name, value);
        return response.status(status).send(body);
      });
    });
  })
  .httpServer()
  .start((own) => createServer((handle = own)));

const { probed, runLaws } = await import(new URL("../../run-laws.js", import.meta.url).href);
await runLaws(testing, async (config: SessionConfig, handler: testing.ProbeHandler) => {
  const serve = withSession(config, (request, response) =>
    cases.run(handler, () => handle(request, response)),
  );
  const server = createServer((request, response) => {
    request.url = probed(request.url ?? "/");
    serve(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
});
