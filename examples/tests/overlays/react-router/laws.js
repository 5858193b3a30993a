// Serves each case by the build, imported anew, since it asks for its configuration once.
import { createServer } from "node:http";
import { createRequestListener } from "@react-router/node";
import * as testing from "kocha-session/testing";
import { probed, runLaws } from "./run-laws.js";

let cases = 0;

await runLaws(testing, async (config, handler) => {
  globalThis.caseOfLaws = { config, handler };
  const build = await import(`./build/server/index.js?case=${cases++}`);
  const listener = createRequestListener({ build });
  const server = createServer((request, response) => {
    request.url = probed(request.url);
    listener(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
});
