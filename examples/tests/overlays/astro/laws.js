// Serves each case on a port of its own, by which the build's middleware finds it.
import { createServer } from "node:http";
import { probed, runLaws } from "./run-laws.js";

process.env.ASTRO_NODE_AUTOSTART = "disabled";
const { handler } = await import("./dist/server/entry.mjs");

async function listen(listener) {
  const server = createServer(listener);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { server, url: `http://localhost:${server.address().port}`, close };
}

// The middleware, with the kit beside it, is loaded by the first request.
const first = await listen(handler);
await fetch(`${first.url}/laws/first`);
await first.close();

await runLaws(globalThis.kit.testing, async (config, probe) => {
  const { server, url, close } = await listen((request, response) => {
    request.headers["x-case"] = String(server.address().port);
    request.url = probed(request.url);
    handler(request, response);
  });
  globalThis.kit.serve(String(server.address().port), config, probe);
  return { url, close };
});
