// Serves each case on a port of its own, by which the build's middleware finds it.
import { createServer } from "node:http";
import { listener } from "./.output/server/index.mjs";
import { probed, runLaws } from "./run-laws.js";

// What the cases provoke is not worth a line each.
console.error = () => undefined;

async function listen(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, url: `http://127.0.0.1:${port}`, close };
}

const { testing, deviceBinding, serve } = globalThis.kit;

async function makeServer(config, probe) {
  const served = await listen((request, response) => {
    request.headers["x-case"] = String(served.port);
    request.url = probed(request.url);
    listener(request, response);
  });
  serve(String(served.port), config, probe);
  return served;
}

await runLaws(testing, makeServer, deviceBinding);
