// A private PostgreSQL for the tests: its own cluster in a temporary folder, durable enough to
// outlive a kill of the process.
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { ensure } from "../../../scripts/ensure.mjs";
import {
  answers,
  dataFolder,
  freePort,
  ServerProcess,
  startOrClose,
  userWhenRoot,
} from "./process.ts";

/** A running server with the superuser `postgres` and no password. */
export interface PostgresServer {
  readonly port: number;
  readonly url: string;
  readonly server: ServerProcess;
  readonly close: () => Promise<void>;
}

/** A StartupMessage of protocol 3.0: a server that still recovers answers it with an error. */
const startup = Buffer.from("\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0", "latin1");
/** The first byte of what admits a client. */
const AUTHENTICATION = "R".charCodeAt(0);

/**
 * Starts a server; the caller closes it.
 * @param settings - of postgresql.conf, as `-c` takes them: "shared_preload_libraries=…".
 */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const port = await freePort();
  const { postgres } = ensure("postgres");
  const user = userWhenRoot("postgres");
  const { path, remove } = dataFolder("postgres", user);
  const data = join(path, "data");
  const initdb = join(dirname(postgres), "initdb");
  const flags = ["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"];
  execFileSync(initdb, ["-D", data, ...flags], { stdio: "pipe", cwd: path, ...user });
  const server = new ServerProcess({
    program: postgres,
    args: [
      "-D",
      data,
      "-p",
      String(port),
      "-k",
      path,
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "fsync=off",
      ...settings.flatMap((setting) => ["-c", setting]),
    ],
    cwd: path,
    ...user,
    isReady: () => answers(port, startup, ([type]) => type === AUTHENTICATION),
  });
  const close = async (): Promise<void> => {
    await server.stop("SIGQUIT");
    remove();
  };
  await startOrClose(server, close);
  return { port, url: `postgres://postgres@127.0.0.1:${port}/postgres`, server, close };
}
