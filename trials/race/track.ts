// The real track: server processes that share a store, and an HTTP client with one clock for all.
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RaceTrack, Reply } from "./driver.ts";
import type { Answer, SaveNote } from "./notes.ts";
import type { Plan } from "./plan.ts";
import { startProcesses } from "./processes.ts";
import type { ServerOrders } from "./server.ts";
import { subjects } from "./subjects.ts";

/** Options of a race's processes. */
export interface TrackOptions {
  readonly subject: string;
  readonly address: string;
  readonly processes: number;
  readonly idleMs: number;
  readonly absoluteMs: number;
}

/** A track with its processes. */
export interface RunningTrack extends RaceTrack {
  readonly children: readonly ChildProcess[];
  readonly close: () => Promise<void>;
}

/** A request that takes longer has failed, in milliseconds. */
const REQUEST_TIMEOUT = 30_000;
const program = fileURLToPath(new URL("server.ts", import.meta.url));

/** Starts the processes; the caller closes the track. */
export async function openTrack(options: TrackOptions): Promise<RunningTrack> {
  const signingKey = randomBytes(32).toString("base64");
  const orders = Array.from({ length: options.processes }, (_, number): ServerOrders => {
    return { ...options, number, signingKey };
  });
  const subject = subjects[options.subject];
  const {
    ports,
    children,
    close: closeProcesses,
  } = subject !== undefined && "serve" in subject
    ? await subject.serve(orders)
    : await startProcesses(program, orders);
  // workerd closes a connection that is idle for five seconds: while a client reuses it, that would look
  // like a request that failed.
  const agent = new Agent({ keepAlive: children.length > 0 });
  const send = (plan: Plan, cookie: string, server: number): Promise<Reply> =>
    ask(agent, ports[server % ports.length] ?? 0, plan, cookie);
  const close = (): Promise<void> => {
    agent.destroy();
    return closeProcesses();
  };
  return { children, close, send, sleep, now: Date.now };
}

/** One request; any failure counts as a missing answer. */
async function ask(agent: Agent, port: number, plan: Plan, cookie: string): Promise<Reply> {
  const nothing = { answer: undefined, cookie: undefined };
  const headers = { "x-plan": JSON.stringify(plan), ...(cookie !== "" && { cookie }) };
  const sent = request({ host: "127.0.0.1", port, agent, headers, timeout: REQUEST_TIMEOUT });
  sent.once("timeout", () => sent.destroy(new Error("the server did not answer")));
  sent.end();
  try {
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const body = await text(response);
    if (response.statusCode !== 200) return nothing;
    const saves = JSON.parse(String(response.headers["x-saves"])) as SaveNote[];
    const answer: Answer = { ...(JSON.parse(body) as Omit<Answer, "saves">), saves };
    return { answer, cookie: cookieOf(response.headers["set-cookie"]) };
  } catch {
    return nothing;
  }
}

/** The first cookie in Set-Cookie, "name=value"; "": an expired one; undefined: none. */
function cookieOf(setCookie: readonly string[] | undefined): string | undefined {
  const pair = setCookie?.[0]?.split(";", 1)[0];
  return pair?.endsWith("=") ? "" : pair;
}
