// A server of the tests' own: a private instance on a free loopback port with a temporary data
// folder, stopped by its pid. It knows no protocol; each server's file does.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Between two looks whether a server answers yet, in milliseconds. */
const POLL = 20;
/** A server that is not ready by then fails the test, in milliseconds. */
const READY_WITHIN = 30_000;
/** What is kept of a server's output, for the message of a failure. */
const KEPT_OUTPUT = 4000;

/** A loopback port that was free a moment ago; below 55000, so that a cluster bus fits above it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    if (port < 55_000) return port;
  }
}

/** Whether nobody listens on a loopback port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * Whether a server on a loopback port answers as it should.
 * @param hello - what is sent first; undefined: the server speaks first.
 */
export function answers(
  port: number,
  hello: string | Buffer | undefined,
  isReply: (reply: Buffer) => boolean,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const done = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once("error", () => done(false));
    if (hello !== undefined) socket.once("connect", () => socket.write(hello));
    socket.once("data", (reply) => done(isReply(reply)));
  });
}

/** The user of a Debian package, where the tests run as root and the server refuses to. */
export function userWhenRoot(name: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number =>
    Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** A temporary data folder, of `owner` where the tests run as root. */
export function dataFolder(name: string, owner?: { readonly uid: number; readonly gid: number }) {
  const path = mkdtempSync(join(tmpdir(), `kocha-session-${name}-`));
  if (owner !== undefined && process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** How a server is started. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** Whether the processes that it starts itself end, stop and go on with it. Default false. */
  readonly isGroup?: boolean;
  /** Resolves to true when the server answers; whatever it throws means "not yet". */
  readonly isReady: () => Promise<boolean>;
}

/** A server that can be stopped, killed, paused and started again on the same data and port. */
export class ServerProcess {
  readonly #command: ServerCommand;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(command: ServerCommand) {
    this.#command = command;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The end of what it wrote. */
  get output(): string {
    return this.#output;
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const { program, args, cwd, env, uid, gid, isGroup = false, isReady } = this.#command;
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      detached: isGroup,
      ...(cwd !== undefined && { cwd }),
      ...(env !== undefined && { env: { ...process.env, ...env } }),
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
    });
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const ended = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) =>
        reject(new Error(`${program} ended with ${code ?? signal}: ${this.#output}`)),
      );
    });
    ended.catch(() => undefined);
    const deadline = Date.now() + READY_WITHIN;
    while (!(await Promise.race([isReady().catch(() => false), ended]))) {
      if (Date.now() > deadline) {
        await this.stop("SIGKILL");
        throw new Error(`${program} did not answer within ${READY_WITHIN} ms: ${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }

  /** Ends it and waits for that; SIGKILL is a crash. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    // A paused process can't act on a signal before it goes on.
    if (signal !== "SIGKILL") this.#signal(child, "SIGCONT");
    this.#signal(child, signal);
    await exit;
  }

  /** A crash. */
  kill(): Promise<void> {
    return this.stop("SIGKILL");
  }

  /** A server that takes connections and never answers. */
  pause(): void {
    if (this.#child !== undefined) this.#signal(this.#child, "SIGSTOP");
  }

  resume(): void {
    if (this.#child !== undefined) this.#signal(this.#child, "SIGCONT");
  }

  #signal(child: ChildProcess, signal: NodeJS.Signals): void {
    if (this.#command.isGroup !== true || child.pid === undefined) child.kill(signal);
    else process.kill(-child.pid, signal);
  }
}

/** Starts a server; one that doesn't come up leaves nothing behind. */
export async function startOrClose(
  server: ServerProcess,
  close: () => Promise<void>,
): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    await close();
    throw error;
  }
}
