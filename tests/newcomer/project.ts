// A newcomer's project: an empty folder, the packed package installed by npm, programs of the documents, and
// a server that is started, visited and started again.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { Visitor } from "../docs/clients.ts";
import { type Block, readBlocks } from "../docs/documents.ts";
import { install, run } from "../package/packed.ts";
import { ServerProcess, startOrClose } from "../support/servers/process.ts";

/** A block of a document that begins with, or is under, what `is` tells. */
export function blockOf(document: string, is: (block: Block) => boolean): string {
  const block = readBlocks(document).find((one) => one.language === "ts" && is(one));
  if (block === undefined) throw new Error(`${document} has no such block`);
  return block.code;
}

/** The program under "Ten lines", on a port that is free. */
export function tenLines(port: number): string {
  const code = blockOf("README.md", ({ heading }) => heading === "Ten lines");
  expect(code).toContain("listen(3000)");
  return code.replace("listen(3000)", `listen(${port}, "127.0.0.1")`);
}

/** After "Install": the package, and `npx kocha-session keygen --out .env`. */
export async function newProject(folder: string, ...packages: readonly string[]): Promise<void> {
  await install(folder, ...packages);
  await run(folder, "npx", ["--no-install", "kocha-session", "keygen", "--out", ".env"]);
}

/** `npx tsc --init`, and then other values for some of its settings. */
export async function initTypeScript(
  folder: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  await run(folder, "npx", ["--no-install", "tsc", "--init"]);
  const file = join(folder, "tsconfig.json");
  let text = await readFile(file, "utf8");
  for (const [from, to] of Object.entries(settings)) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  await writeFile(file, text);
}

/** A server of a project, by `node` with these arguments. */
export class ProjectServer {
  readonly visitor: Visitor;
  readonly #port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: ServerProcess | undefined;

  constructor(folder: string, port: number, args: readonly string[]) {
    this.#folder = folder;
    this.#port = port;
    this.#args = args;
    this.visitor = new Visitor(port);
  }

  async start(): Promise<void> {
    const stranger = new Visitor(this.#port);
    const server = new ServerProcess({
      program: process.execPath,
      args: this.#args,
      cwd: this.#folder,
      env: { PORT: String(this.#port) },
      isReady: async () => (await stranger.visit("/")).status === 200,
    });
    this.#process = server;
    await startOrClose(server, () => server.kill());
  }

  async stop(): Promise<void> {
    await this.#process?.kill();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}

/** The ten lines' own routes: logs in, restarts the server, and logs out. */
export async function useTenLines(folder: string, port: number): Promise<void> {
  const server = new ProjectServer(folder, port, ["--env-file=.env", "server.mjs"]);
  const { visitor } = server;
  try {
    await server.start();
    expect(await visitor.visit("/")).toMatchObject({ body: "Hello, stranger!", setCookie: [] });
    expect((await visitor.visit("/login")).body).toBe("Hello, alice!");
    await server.restart();
    expect((await visitor.visit("/")).body).toBe("Hello, alice!");
    expect((await visitor.visit("/logout")).body).toBe("Hello, stranger!");
    expect((await visitor.visit("/")).body).toBe("Hello, stranger!");
  } finally {
    await server.stop();
  }
}
