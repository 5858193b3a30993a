// The process of one snippet: imports it, with every server that it starts on a free loopback port,
// tells where they listen, and ends when its input does. With "fails" it is on a store that fails.
// It is copied to where the snippets are.
import { once } from "node:events";
import { type AddressInfo, Server } from "node:net";
import { pathToFileURL } from "node:url";
import type { FaultCookies } from "./failing-store.ts";

/** A server of a snippet. */
export interface SnippetServer {
  readonly port: number;
  readonly protocol: "http" | "http2";
}

/** What the process tells. */
export interface Started {
  readonly servers: readonly SnippetServer[];
  /** Of the store that fails. */
  readonly cookies?: FaultCookies;
}

interface SnippetModule {
  readonly default?: {
    readonly fetch?: (request: Request, env: unknown) => Response | Promise<Response>;
  };
}

async function main(file: string, mark: string, words: readonly string[]): Promise<void> {
  const servers: Server[] = [];
  const { listen } = Server.prototype as { listen: (...args: unknown[]) => Server };
  let first: () => void;
  const started = new Promise<void>((resolve) => (first = resolve));
  // Whatever port the reader is told, here it is a free one, and for this machine alone.
  Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
    const done = args.find((arg) => typeof arg === "function");
    servers.push(this);
    this.once("close", () => servers.splice(servers.indexOf(this), 1));
    first();
    return listen.call(this, { port: 0, host: "127.0.0.1" }, done);
  } as typeof Server.prototype.listen;

  const cookies = words.includes("fails")
    ? await (await import("./failing-store.ts")).failStores()
    : undefined;
  const module = (await import(pathToFileURL(file).href)) as SnippetModule;
  const { fetch } = module.default ?? {};
  if (fetch !== undefined) {
    const { serve } = await import("@hono/node-server");
    const { bindings } = await import("./local-bindings.ts");
    // As workers do, with the keys of the environment and the bindings of objects.
    const env = { ...process.env, ...bindings };
    serve({ fetch: (request) => fetch(request, env), port: 0 });
  }
  if (words.includes("listens")) await started;
  for (const server of servers) if (!server.listening) await once(server, "listening");
  const listening = servers.map((server): SnippetServer => {
    const protocol = server.constructor.name === "Http2Server" ? "http2" : "http";
    return { port: (server.address() as AddressInfo).port, protocol };
  });
  const told: Started = { servers: listening, ...(cookies !== undefined && { cookies }) };
  console.log(mark + JSON.stringify(told));
  process.stdin.resume();
  await once(process.stdin, "end");
  process.exit();
}

const [file = "", mark = "", ...words] = process.argv.slice(2);
await main(file, mark, words);
