import { createServer } from "node:http";
import { runLaws } from "./run-laws.js";

// As a proxy's header says: without one the adapter takes the site for one on https, and forms for foreign.
process.env.PROTOCOL_HEADER = "x-forwarded-proto";
const { handler } = await import("./build/handler.js");
const { serve, testing } = globalThis.kit;
// What the cases provoke is not worth a line each.
console.error = () => undefined;

await runLaws(testing, async (config, probe) => {
  const server = createServer((request, response) => {
    request.headers["x-forwarded-proto"] = "http";
    handler(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  serve(port, config, probe);
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, close };
});
