// Workers of ours in real workerd: bundled by esbuild from the sources, and started by miniflare.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { Miniflare, type MiniflareOptions, type WorkerOptions } from "miniflare";
import { repository } from "../../tests/support/cli.ts";

/** The date whose behaviour the workers ask for. */
export const COMPATIBILITY_DATE = "2026-04-01";

const folder = fileURLToPath(new URL(".", import.meta.url));
const { exports } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
  readonly exports: Readonly<Record<string, string | { readonly "kocha-session-source": string }>>;
};

/** Leads imports of kocha-session to its sources: this folder has a package.json of its own. */
const fromSource: Plugin = {
  name: "kocha-session from its sources",
  setup(bundler) {
    bundler.onResolve({ filter: /^kocha-session(\/|$)/ }, ({ path }) => {
      const entry = exports[path.replace("kocha-session", ".")];
      if (typeof entry !== "object") return { errors: [{ text: `there is no ${path}` }] };
      return { path: join(repository, entry["kocha-session-source"]) };
    });
    // What package.json's imports give where no condition names the runtime.
    bundler.onResolve({ filter: /^#crypto$/ }, () => ({
      path: join(repository, "src", "crypto", "primitives-default.ts"),
    }));
  },
};

/**
 * A worker's one module.
 * @param entry - a file of trials/edge/workers.
 */
export async function bundle(entry: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "workers", entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["kocha-session-source", "workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    nodePaths: [join(repository, "node_modules")],
    ...options,
    plugins: [fromSource, ...(options.plugins ?? [])],
  });
  return outputFiles?.[0]?.text ?? "";
}

/** Starts workers in one workerd. */
export async function start(
  workers: readonly WorkerOptions[],
  more: object = {},
): Promise<Miniflare> {
  const options = { workers, ...more } as unknown as MiniflareOptions;
  const miniflare = new Miniflare(options);
  await miniflare.ready;
  return miniflare;
}
