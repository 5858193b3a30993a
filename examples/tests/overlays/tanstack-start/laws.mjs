// The conformance kit on the production build; the last line is JSON of what didn't hold.
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer } from "node:http";
import { hostLaws, runCases } from "kocha-session/testing";
import { toNodeHandler } from "srvx/node";
import app from "./dist/server/server.js";

const laws = new AsyncLocalStorage();
Object.assign(globalThis, { laws });

const makeServer = async (config, handler) => {
  const listener = toNodeHandler((request) =>
    laws.run({ config, handler }, () => app.fetch(request)),
  );
  const server = createServer((request, response) => {
    request.url = `/laws${request.url}`;
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
};

const ran = (await runCases(hostLaws(makeServer, { name: "TanStack Start" }))).filter(
  (one) => one.case.applies === true,
);
const failures = ran.flatMap(({ error }) => (error === undefined ? [] : [String(error)]));
console.log(JSON.stringify({ count: ran.length, failures }));
process.exit(0);
