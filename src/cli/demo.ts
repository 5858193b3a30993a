// `kocha-session demo`: the demo, from the package, until it is interrupted. It is a program of its own, which
// is loaded only by this command.
import { readOptions, type Command, UsageFault } from "./terminal.ts";

/** What dist/demo/serve.js exports. */
interface DemoProgram {
  readonly storeNames: readonly string[];
  readonly serveDemo: (
    storeName: string,
    port: number,
  ) => Promise<{ readonly url: string; readonly close: () => Promise<void> }>;
}

/** The command. */
export const demo: Command = {
  name: "demo",
  summary: "shows in the browser what this library does that others don't",
  help: `kocha-session demo [--store <name>] [--port <number>]

Serves three proofs and a small shop on this machine, until it is interrupted (Ctrl+C).

  --store  cookie (the default), memory, sqlite, redis, postgres, mysql or memcached
  --port   default PORT of the environment, else 3000; 0: any that is free

A store on a server needs its driver (npm install redis) and finds the server by REDIS_URL, POSTGRES_URL,
MYSQL_URL or MEMCACHED_NODE; sqlite takes a file by SESSION_DATABASE.
  npx kocha-session demo
`,
  run: async (args, out) => {
    const options = readOptions(args, {
      store: { type: "string", default: "cookie" },
      port: { type: "string", default: process.env["PORT"] ?? "3000" },
    });
    const port = /^\d{1,5}$/.test(options.port) ? Number(options.port) : NaN;
    if (!(port <= 65_535)) throw new UsageFault("--port must be a number from 0 to 65535");
    const { serveDemo, storeNames } = await loadProgram();
    if (!storeNames.includes(options.store)) {
      throw new UsageFault(`--store must be one of ${storeNames.join(", ")}`);
    }
    try {
      const { close, url } = await serveDemo(options.store, port);
      out.print(`the demo is running: ${out.style("bold", url)}`);
      await interrupted();
      await close();
      return 0;
    } catch (error) {
      out.complain((error as Error).message);
      return 1;
    }
  },
};

/** It lies beside the command line's own folder in what is built. */
async function loadProgram(): Promise<DemoProgram> {
  return (await import(new URL("../demo/serve.js", import.meta.url).href)) as DemoProgram;
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
