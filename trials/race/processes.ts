// Server processes of a trial: each is forked from a program, gets its orders by the environment, sends its
// port when it listens, and ends when its parent disconnects.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** Processes that listen. */
export interface Processes {
  readonly ports: readonly number[];
  readonly children: readonly ChildProcess[];
  readonly close: () => Promise<void>;
}

/** Starts a server for each of the orders; the caller closes them. */
export type StartServers = (orders: readonly object[]) => Promise<Processes>;

/** Starts a process for each of the orders; the caller closes them. */
export async function startProcesses(
  program: string,
  orders: readonly object[],
): Promise<Processes> {
  const children = orders.map((order) =>
    fork(program, {
      execArgv: ["--conditions=kocha-session-source", "--import", "tsx"],
      env: { ...process.env, NODE_ENV: "production", RACE_ORDERS: JSON.stringify(order) },
    }),
  );
  const close = async (): Promise<void> => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, "exit");
        child.disconnect();
        await exit;
      }),
    );
  };
  try {
    const ports = await Promise.all(children.map((child) => portOf(child)));
    return { ports, children, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a server process ended with ${String(code)} before it listened`);
  });
  const [message] = (await Promise.race([once(child, "message"), ended])) as [{ port: number }];
  ended.catch(() => undefined);
  return message.port;
}
