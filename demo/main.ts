// `npm run demo`: the shop on http://localhost:3000, or on PORT, until it is interrupted. It runs on
// the cookie store, or on `--store`.
import { parseArgs } from "node:util";
import type { SessionObservers } from "kocha-session";
import { createShop } from "./app.ts";
import { demoKeys, sessionConfig } from "./config.ts";
import { openStore } from "./stores.ts";

/** Every event in one line: the id is a handle, no credential. */
const on: SessionObservers = {
  created: ({ id }) => console.log(`session ${id} created`),
  regenerated: ({ id }) => console.log(`session ${id} regenerated`),
  committed: ({ id }) => console.log(`session ${id} committed`),
  destroyed: ({ id }) => console.log(`session ${id} destroyed`),
  rejected: ({ reason }) => console.log(`a cookie was rejected: ${reason}`),
};

const { values } = parseArgs({ options: { store: { type: "string", default: "cookie" } } });
const keys = demoKeys();
const { store, close } = await openStore(values.store, keys).catch((error: unknown) => {
  const reason = error instanceof Error ? error.message || String(error) : String(error);
  console.error(`the store can't be had: ${reason}`);
  process.exit(1);
});
const port = Number(process.env["PORT"] ?? 3000);
const server = createShop(sessionConfig(on, keys, store)).listen(port, (error?: Error) => {
  if (error !== undefined) {
    console.error(`port ${port} can't be had (${error.message}): try PORT=0 npm run demo`);
    process.exit(1);
  }
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  console.log(`the shop is open: http://localhost:${actual}`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close(() => void close());
    server.closeAllConnections();
  });
}
