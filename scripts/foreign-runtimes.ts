// The packed package on runtimes other than Node.js, and without node:crypto: the conformance kit
// runs inside Bun and Deno over their own servers, workerd serves a bundled worker with node:crypto
// and without, and cookies go from each to each.
import { spawn } from "node:child_process";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { install, pack, run } from "../tests/package/packed.ts";
import { repository } from "../tests/support/cli.ts";
import { freshKeys } from "../tests/support/keys.ts";
import { runtime, versions } from "./runtimes.ts";
import { testWorkerRequests } from "./worker-requests.ts";
import { bundleWorker, type Running, startWorkerd } from "./workerd.ts";

/** A row of the result: what ran where, with which crypto, and how it ended. */
export interface Row {
  readonly where: string;
  readonly what: string;
  readonly crypto: string;
  readonly passed: number;
  readonly failed: readonly string[];
}

interface Report {
  readonly crypto: string;
  readonly results: Readonly<Record<string, { passed: number; failed: string[] }>>;
}

/** One JavaScript runtime, and how it runs a module in the folder where the package is installed. */
interface Place {
  readonly where: string;
  readonly folder: string;
  readonly program: string;
  readonly args: readonly string[];
}

const offline = { DENO_NO_UPDATE_CHECK: "1" };
const keys = freshKeys();
const keyEnv = { SECRET_KEY: keys.secretKey, SIGNING_KEY: keys.signingKey };

/** A folder with the package, what its kit needs, and the programs of tests/runtimes. */
async function prepare(folder: string, tarball: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(repository, "package.json"), "utf8")) as {
    devDependencies: Readonly<Record<string, string>>;
  };
  const names = "@hono/node-server elysia fast-check h3 hono postgres tough-cookie".split(" ");
  const peers = names.map((name) => `${name}@${manifest.devDependencies[name]}`);
  await install(folder, tarball, ...peers);
  const programs = join(repository, "tests", "runtimes");
  for (const name of await readdir(programs)) await cp(join(programs, name), join(folder, name));
  const probe = 'export const location = import.meta.resolve("#crypto");\n';
  await writeFile(join(folder, "node_modules/kocha-session/dist/crypto-probe.js"), probe);
}

/** The same folder, in which no condition names a runtime: the package takes what is there at start. */
async function makePortable(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
  const path = join(to, "node_modules", "kocha-session", "package.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as {
    imports: Record<string, { readonly default: string }>;
  };
  manifest.imports["#crypto"] = { default: manifest.imports["#crypto"]?.default ?? "" };
  await writeFile(path, JSON.stringify(manifest));
}

async function conform({ where, folder, program, args }: Place): Promise<Row[]> {
  const { stdout } = await run(folder, program, [...args, "conformance.mjs"], offline);
  const { crypto, results } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Report;
  return Object.entries(results).flatMap(([what, { passed, failed }]) =>
    // On Node.js the test suite itself has the upgrades.
    what === "upgrade" && where.startsWith("Node.js")
      ? []
      : [{ where, what, crypto, passed, failed }],
  );
}

/** Feeds a program's standard input. */
async function pipe(
  { folder, program, args }: Place,
  mode: string,
  input: string,
): Promise<string> {
  const child = spawn(program, [...args, "tokens.mjs", mode], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...keyEnv, ...offline },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(err.trim().slice(-500));
  return out;
}

/** Something that seals the samples and opens what others sealed. */
interface Sealer {
  readonly where: string;
  readonly seal: () => Promise<string>;
  /** @throws when what it reads isn't what was sealed. */
  readonly open: (sealed: string) => Promise<unknown>;
}

async function exchange(sealers: readonly Sealer[]): Promise<Row[]> {
  const sealed = await Promise.all(
    sealers.map(async ({ where, seal }) => ({ where, cookies: await seal() })),
  );
  const rows: Row[] = [];
  for (const { where, open } of sealers) {
    const failed: string[] = [];
    for (const from of sealed) {
      await open(from.cookies).catch((error: unknown) => {
        failed.push(`what ${from.where} sealed: ${(error as Error).message}`);
      });
    }
    const what = "cookies of each of these, opened";
    rows.push({ where, what, crypto: "", passed: sealed.length - failed.length, failed });
  }
  return rows;
}

/** The worker in one setting of workerd. */
interface Worker extends Running {
  readonly where: string;
  /** What its #crypto must be. */
  readonly crypto: string;
}

/** What workerd is started with: its name for the result, its flags, and what #crypto is there. */
const workerSettings = [
  { where: `workerd ${versions.workerd}`, flags: [], crypto: "portable" },
  {
    where: `workerd ${versions.workerd}, nodejs_compat`,
    flags: ["nodejs_compat"],
    crypto: "node",
  },
] as const;

async function bundleSealer(folder: string): Promise<void> {
  const text = await bundleWorker(folder, "worker.mjs");
  if (/from\s*"node:/.test(text)) throw new Error("the worker's bundle reaches for Node.js");
}

async function startSealer(
  folder: string,
  { where, flags, crypto }: (typeof workerSettings)[number],
): Promise<Worker> {
  const definition = { name: "main", file: "worker.js", flags, texts: keyEnv };
  return { where, crypto, ...(await startWorkerd(folder, [definition])) };
}

/** A client's visits are counted: a host works there, end to end. */
async function count(url: string, path: string): Promise<string[]> {
  let cookie = "";
  for (let visit = 1; visit <= 3; visit++) {
    const response = await fetch(url + path, { headers: cookie === "" ? {} : { cookie } });
    const said = await response.text();
    if (said !== String(visit)) return [`visit ${visit} of ${path} was counted as ${said}`];
    cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie;
  }
  return [];
}

type Entries = readonly (readonly [string, string])[];

interface Cookies {
  readonly data: Entries;
  readonly cookie: string;
}

function sorted(entries: Entries): Entries {
  return entries.toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** The worker as a sealer; the samples are another's. */
function workerSealer({ where, url }: Worker, samples: () => Promise<string>): Sealer {
  const post = async (path: string, body: string): Promise<unknown> => {
    const response = await fetch(url + path, { method: "POST", body });
    return response.json();
  };
  return {
    where,
    seal: async () => JSON.stringify(await post("/seal", await samples())),
    open: async (sealed) => {
      const wanted = (JSON.parse(sealed) as Cookies[]).map(({ data }) => sorted(data));
      const found = (await post("/read", sealed)) as Entries[];
      const text = JSON.stringify(found.map(sorted));
      if (text !== JSON.stringify(wanted)) throw new Error("it reads something else");
    },
  };
}

/** Everything, in `root`; the rows say how it ended. */
export async function testForeignRuntimes(root: string): Promise<Row[]> {
  const { tarball } = await pack(root);
  const [folder, portable] = [join(root, "consumer"), join(root, "portable")];
  await prepare(folder, tarball);
  await makePortable(folder, portable);
  const node = process.execPath;
  const denoFlags = ["run", "--quiet", "--allow-all", "--node-modules-dir=manual"];
  const places: Place[] = [
    { where: `Bun ${versions.bun}`, folder, program: runtime("bun", versions.bun), args: [] },
    {
      where: `Deno ${versions.deno}`,
      folder,
      program: runtime("deno", versions.deno),
      args: denoFlags,
    },
    { where: `Node.js ${process.version}`, folder, program: node, args: [] },
    {
      where: `Node.js ${process.version}, without node:crypto`,
      folder: portable,
      program: node,
      args: ["--import", "data:text/javascript,delete process.getBuiltinModule"],
    },
  ];
  const rows: Row[] = [];
  for (const place of places) rows.push(...(await conform(place)));
  await bundleSealer(folder);
  const workers: Worker[] = [];
  try {
    for (const setting of workerSettings) workers.push(await startSealer(folder, setting));
    for (const { where, url, crypto } of workers) {
      for (const [what, path] of [
        ["fetch", "/"],
        ["hono", "/hono"],
      ] as const) {
        const failed = await count(url, path);
        const used = await (await fetch(`${url}/crypto`)).text();
        if (used !== crypto) failed.push(`its #crypto is ${used}`);
        const passed = failed.length === 0 ? 1 : 0;
        rows.push({ where, what: `${what}: visits counted`, crypto, passed, failed });
      }
    }
    const sealers = places.map((place): Sealer => ({
      where: place.where,
      seal: () => pipe(place, "seal", ""),
      open: (sealed) => pipe(place, "open", sealed),
    }));
    const [first] = sealers;
    const samples = async (): Promise<string> => (await first?.seal()) ?? "[]";
    const all = [...sealers, ...workers.map((worker) => workerSealer(worker, samples))];
    rows.push(...(await exchange(all)));
  } finally {
    for (const { child } of workers) child.kill("SIGKILL");
  }
  rows.push(...(await testWorkerRequests(folder)));
  await rm(root, { recursive: true, force: true, maxRetries: 3 });
  return rows;
}
