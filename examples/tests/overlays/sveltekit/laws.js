import { createServer } from "node:http";
import { handler } from "./build/handler.js";
import { runLaws } from "./run-laws.js";

const { serve, testing } = globalThis.kit;
// What the cases provoke is not worth a line each.
console.error = () => undefined;

await runLaws(testing, async (config, probe) => {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  serve(port, config, probe);
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, close };
});
