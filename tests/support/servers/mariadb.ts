// A private MariaDB for the tests: its own data folder, a root user without a password, and the
// database "test".
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
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

/** A running server with the superuser `root`. */
export interface MariadbServer {
  readonly port: number;
  readonly url: string;
  readonly server: ServerProcess;
  readonly close: () => Promise<void>;
}

/** Starts a server; the caller closes it. */
export async function startMariadb(args: readonly string[] = []): Promise<MariadbServer> {
  const port = await freePort();
  const { mariadb } = ensure("mariadb");
  const user = userWhenRoot("mysql");
  const { path, remove } = dataFolder("mariadb", user);
  const data = join(path, "data");
  const beside = join(dirname(mariadb), "mariadb-install-db");
  const installer = existsSync(beside) ? beside : "mariadb-install-db";
  const as = user === undefined ? [] : ["--user=mysql"];
  const method = "--auth-root-authentication-method=normal";
  execFileSync(installer, ["--no-defaults", ...as, `--datadir=${data}`, method], { stdio: "pipe" });
  const server = new ServerProcess({
    program: mariadb,
    args: [
      "--no-defaults",
      ...as,
      `--datadir=${data}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--socket=${join(path, "s.sock")}`,
      `--pid-file=${join(path, "pid")}`,
      "--innodb-buffer-pool-size=64M",
      // The log goes to the system at each commit, so that a kill of the process loses nothing.
      "--innodb-flush-log-at-trx-commit=2",
      "--skip-name-resolve",
      ...args,
    ],
    cwd: path,
    // The first byte of its greeting is the protocol's version, 10.
    isReady: () => answers(port, undefined, (greeting) => greeting[4] === 10),
  });
  const close = async (): Promise<void> => {
    await server.kill();
    remove();
  };
  await startOrClose(server, close);
  return { port, url: `mysql://root@127.0.0.1:${port}/test`, server, close };
}
