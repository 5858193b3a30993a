// The application processes of a fault run, and the HTTP client that speaks to them.
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { StoreAddress } from "./address.ts";
import type { AppAnswer, AppOrders } from "./app.ts";

/** A response. */
export interface Reply {
  /** The HTTP status; 0: no answer came. */
  readonly status: number;
  /** Present with status 200. */
  readonly answer: AppAnswer | undefined;
  /** The cookie in Set-Cookie, "name=value"; "": an expired one; undefined: none. */
  readonly cookie: string | undefined;
}

/** Running processes. */
export interface Apps {
  /** One request, to each of them in turn. */
  readonly send: (path: string, cookie: string) => Promise<Reply>;
  /** Kills one of them as a crash does, and starts another in its place. */
  readonly crashOne: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A request that takes longer has no answer, in milliseconds. */
const REQUEST_TIMEOUT = 5000;
const program = fileURLToPath(new URL("app.ts", import.meta.url));

/** Starts the processes; the caller closes them. */
export async function startApps(
  count: number,
  address: StoreAddress,
  onStoreError: AppOrders["onStoreError"],
): Promise<Apps> {
  const signingKey = randomBytes(32).toString("base64");
  const orders: AppOrders = { address, signingKey, onStoreError };
  const agent = new Agent({ keepAlive: true });
  const running: { child: ChildProcess; port: number }[] = [];
  let turn = 0;
  const close = async (): Promise<void> => {
    agent.destroy();
    await Promise.all(running.map(({ child }) => end(child)));
  };
  try {
    running.push(...(await Promise.all(Array.from({ length: count }, () => startApp(orders)))));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    send: (path, cookie) => ask(agent, running[turn++ % running.length]?.port ?? 0, path, cookie),
    crashOne: async () => {
      const [oldest] = running;
      if (oldest === undefined) return;
      await end(oldest.child);
      running.shift();
      running.push(await startApp(orders));
    },
    close,
  };
}

async function startApp(orders: AppOrders): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(program, {
    execArgv: ["--conditions=kocha-session-source", "--import", "tsx"],
    env: { ...process.env, NODE_ENV: "production", FAULT_ORDERS: JSON.stringify(orders) },
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`an application ended with ${String(code)} before it listened`);
  });
  const [message] = (await Promise.race([once(child, "message"), ended])) as [{ port: number }];
  ended.catch(() => undefined);
  return { child, port: message.port };
}

/** Like a crash: nothing is finished, no client is told. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

async function ask(agent: Agent, port: number, path: string, cookie: string): Promise<Reply> {
  const headers = cookie === "" ? {} : { cookie };
  const sent = request({ host: "127.0.0.1", port, agent, path, headers, timeout: REQUEST_TIMEOUT });
  sent.once("timeout", () => sent.destroy(new Error("the application did not answer")));
  sent.end();
  try {
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const body = await text(response);
    const { statusCode: status = 0 } = response;
    const pair = response.headers["set-cookie"]?.[0]?.split(";", 1)[0];
    return {
      status,
      answer: status === 200 ? (JSON.parse(body) as AppAnswer) : undefined,
      cookie: pair?.endsWith("=") ? "" : pair,
    };
  } catch {
    return { status: 0, answer: undefined, cookie: undefined };
  }
}
