// Serves each case by the build, whose start.ts finds the case of the request.
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer } from "node:http";
import * as testing from "kocha-session/testing";
import { toNodeHandler } from "srvx/node";
import app from "./dist/server/server.js";
import { probed, runLaws } from "./run-laws.js";

const laws = new AsyncLocalStorage();
Object.assign(globalThis, { laws });

await runLaws(testing, async (config, handler) => {
  const listener = toNodeHandler((request) =>
    laws.run({ config, handler }, () => app.fetch(request)),
  );
  const server = createServer((request, response) => {
    request.url = probed(request.url);
    return listener(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
});
