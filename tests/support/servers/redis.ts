// A private redis-server (or one that speaks its protocol) for the tests, by the recipe of its own
// documentation: everything on the command line, nothing of the machine's configuration.
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ensure } from "../../../scripts/ensure.mjs";
import { answers, dataFolder, freePort, ServerProcess, startOrClose } from "./process.ts";

/** A running server; `server` kills, pauses and restarts it. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  readonly server: ServerProcess;
  /** Ends it and removes its data. */
  readonly close: () => Promise<void>;
}

/** How a server differs from the usual one. */
export interface RedisOptions {
  /** Default: Debian's redis-server. */
  readonly program?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const run = promisify(execFile);

/** What a server answers to a command, as its own command line prints it. */
export async function ask(port: number, ...command: readonly string[]): Promise<string> {
  const cli = join(dirname(ensure("redis").redis), "redis-cli");
  const { stdout } = await run(cli, ["-h", "127.0.0.1", "-p", String(port), ...command]);
  return stdout.trim();
}

/** Whether the server on a port answers PING; one that still loads its data does not yet. */
export function answersPing(port: number): Promise<boolean> {
  return answers(port, "PING\r\n", (reply) => reply.toString().startsWith("+PONG"));
}

/** Starts a server; the caller closes it. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const { path, remove } = dataFolder("redis");
  const server = new ServerProcess({
    program: options.program ?? ensure("redis").redis,
    args: [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      path,
      "--save",
      "",
      "--appendonly",
      "yes",
      "--appendfsync",
      "everysec",
      "--daemonize",
      "no",
      "--protected-mode",
      "no",
      ...(options.args ?? []),
    ],
    ...(options.env !== undefined && { env: options.env }),
    isReady: () => answersPing(port),
  });
  const close = async (): Promise<void> => {
    await server.kill();
    remove();
  };
  await startOrClose(server, close);
  return { port, url: `redis://127.0.0.1:${port}`, folder: path, server, close };
}
