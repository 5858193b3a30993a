// Isolates of a race, on Cloudflare's platform: Workers that run at once in one workerd, each with its own
// port, its own modules and the one database of all.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { repository } from "../../tests/support/cli.ts";
import { installPlatforms } from "../edge/platforms.ts";
import type { Processes } from "./processes.ts";

/** The part of miniflare that is used; it is installed in trials/edge only. */
interface Miniflare {
  readonly ready: Promise<URL>;
  unsafeGetDirectURL(worker: string): Promise<URL>;
  dispose(): Promise<void>;
}

/** Starts an isolate for each of the orders. */
export async function startIsolates(orders: readonly object[]): Promise<Processes> {
  installPlatforms();
  const require = createRequire(new URL("../edge/package.json", import.meta.url));
  const { Miniflare } = require("miniflare") as { Miniflare: new (options: object) => Miniflare };
  const script = await bundle();
  const nameOf = (number: number): string => `isolate-${number}`;
  const miniflare = new Miniflare({
    workers: orders.map((order, number) => ({
      name: nameOf(number),
      modules: true,
      script,
      compatibilityDate: "2026-04-01",
      compatibilityFlags: ["nodejs_compat"],
      d1Databases: { DB: "sessions" },
      bindings: { ORDERS: order },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    })),
  });
  const close = (): Promise<void> => miniflare.dispose();
  try {
    await miniflare.ready;
    const urls = await Promise.all(
      orders.map((_, number) => miniflare.unsafeGetDirectURL(nameOf(number))),
    );
    await fetch(new URL("/table", urls[0]));
    return { ports: urls.map(({ port }) => Number(port)), children: [], close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("isolate.ts", import.meta.url))],
    absWorkingDir: repository,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2023",
    conditions: ["kocha-session-source", "workerd", "worker", "browser"],
    external: ["node:*"],
  });
  return outputFiles[0]?.text ?? "";
}
