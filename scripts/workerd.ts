// Workers in workerd: bundled as Cloudflare's own tool does it, and served on a free port.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { freePort } from "../tests/support/servers/process.ts";
import { runtime, versions } from "./runtimes.ts";

/** A worker's bundle, written beside its entry: `worker.mjs` becomes `worker.js`. */
export async function bundleWorker(
  folder: string,
  entry: string,
  external: readonly string[] = [],
): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    external: [...external],
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  await writeFile(join(folder, entry.replace(/\.mjs$/, ".js")), bundle.text);
  return bundle.text;
}

/** A worker of a configuration, by the names that workerd's own has for these fields. */
export interface WorkerDefinition {
  readonly name: string;
  /** The bundle's file. */
  readonly file: string;
  readonly flags?: readonly string[];
  readonly texts?: Readonly<Record<string, string>>;
  /** Bindings to other workers, by their names. */
  readonly services?: Readonly<Record<string, string>>;
}

/** A running workerd. */
export interface Running {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Serves workers, the first of them on `url`; they may connect to this machine. */
export async function startWorkerd(
  folder: string,
  workers: readonly [WorkerDefinition, ...WorkerDefinition[]],
): Promise<Running> {
  const port = await freePort();
  const [{ name: first }] = workers;
  const file = `${first}-${port}.capnp`;
  await writeFile(join(folder, file), configurationOf(workers, port));
  const program = runtime("workerd", versions.workerd);
  const child = spawn(program, ["serve", file], { cwd: folder, stdio: "inherit" });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; child.exitCode === null && tries < 600; tries++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return { url, child };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill("SIGKILL");
  throw new Error("workerd didn't start");
}

function configurationOf(workers: readonly WorkerDefinition[], port: number): string {
  const services = workers.map(({ name }) => `(name = "${name}", worker = .${name})`);
  const definitions = workers.map(
    ({ name, file, flags = [], texts = {}, services: bound = {} }) => {
      const bindings = [
        ...Object.entries(texts).map(([key, text]) => `(name = "${key}", text = "${text}")`),
        ...Object.entries(bound).map(
          ([key, service]) => `(name = "${key}", service = "${service}")`,
        ),
      ];
      return `const ${name} :Workerd.Worker = (
  modules = [ (name = "${file}", esModule = embed "${file}") ],
  compatibilityDate = "2026-04-01",
  compatibilityFlags = [ ${flags.map((flag) => `"${flag}"`).join(", ")} ],
  bindings = [ ${bindings.join(", ")} ] );
`;
    },
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ ${services.join(", ")},
    (name = "internet", network = (allow = [ "127.0.0.1/32" ])) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "${workers[0]?.name}") ] );
${definitions.join("")}`;
}
