// Isolates of a race, on Cloudflare's platform: Workers that run at once in one workerd, each with its own
// port, its own modules, and the one database, or the objects, of all.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** What the isolates keep their sessions in. */
export type IsolatesStore = "d1" | "durable-object";

/**
 * Where files lie in memory on Linux. workerd waits for the disk twice in each write, and all isolates wait for its
 * one thread: on a busy disk a race of two minutes takes half an hour. A race has no power failure.
 */
const MEMORY = "/dev/shm";

const nameOf = (number: number): string => `isolate-${number}`;

/** The bindings of one isolate, by its number; the first one has the objects of all. */
const bindingsOf: Readonly<Record<IsolatesStore, (number: number) => object>> = {
  d1: () => ({ d1Databases: { DB: "sessions" } }),
  "durable-object": (number) => {
    const at = { useSQLite: true, ...(number > 0 && { scriptName: nameOf(0) }) };
    return {
      durableObjects: {
        SESSIONS: { className: "SessionObject", ...at },
        SUBJECTS: { className: "SubjectObject", ...at },
      },
    };
  },
};

/** Starts an isolate for each of the orders. */
export async function startIsolates(
  store: IsolatesStore,
  orders: readonly object[],
): Promise<Processes> {
  installPlatforms();
  const require = createRequire(new URL("../edge/package.json", import.meta.url));
  const { Miniflare } = require("miniflare") as { Miniflare: new (options: object) => Miniflare };
  const script = await bundle();
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "kocha-session-race-"));
  const miniflare = new Miniflare({
    d1Persist: join(folder, "d1"),
    durableObjectsPersist: join(folder, "objects"),
    workers: orders.map((order, number) => ({
      name: nameOf(number),
      modules: true,
      script,
      compatibilityDate: "2026-04-01",
      compatibilityFlags: ["nodejs_compat"],
      bindings: { ORDERS: order },
      ...bindingsOf[store](number),
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    })),
  });
  const close = async (): Promise<void> => {
    await miniflare.dispose();
    rmSync(folder, { recursive: true });
  };
  try {
    await miniflare.ready;
    const urls = await Promise.all(
      orders.map((_, number) => miniflare.unsafeGetDirectURL(nameOf(number))),
    );
    await fetch(new URL("/prepare", urls[0]));
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
