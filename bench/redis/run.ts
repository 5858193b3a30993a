// `npm run bench -- redis`: sessions in Redis under Express with 50 connections, ours beside
// express-session with connect-redis: requests a second, the server's processor time, and the
// commands that a request sends.
import { Child } from "../lib/child.ts";
import { versionsOf } from "../lib/load.ts";
import { startService } from "../lib/services.ts";
import type { Settings } from "../lib/settings.ts";
import { interleave, spread, type Spread } from "../lib/stats.ts";
import { loadSubjects, type Subject } from "../lib/subject.ts";
import { ask, findWrk, load, toCookieHeader, warm } from "../http/load.ts";
import { routes } from "../http/routes.ts";
import type { CpuAnswer } from "../http/server.ts";
import { monitor } from "./monitor.ts";

const CONNECTIONS = 50;
const WARM_REQUESTS = 3000;
const WARM_MS = 1500;
/** Requests whose commands are counted. */
const COUNTED = 50;
const modes = ["read", "write", "anonymous"] as const;
type Mode = (typeof modes)[number];

interface RedisRow {
  readonly subject: string;
  readonly kind: string;
  readonly versions: string;
  readonly note: string;
  readonly mode: Mode;
  readonly perSecond: Spread;
  /** CPU microseconds of the server for a request, Redis' own not counted. */
  readonly cpu: Spread;
  /** Commands sent for a request. */
  readonly commands: number;
  /** Their names. */
  readonly names: readonly string[];
  readonly setCookie: number;
}

/** The result. */
export interface RedisResult {
  readonly tool: string;
  readonly connections: number;
  readonly rows: readonly RedisRow[];
}

interface Job {
  readonly subject: Subject;
  readonly child: Child;
  readonly port: number;
  readonly mode: Mode;
  readonly path: string;
  readonly cookie: string | undefined;
  readonly perSecond: number[];
  readonly cpu: number[];
  commands: readonly string[];
  setCookie: number;
}

async function start(subject: Subject, redisPort: number, children: Child[]): Promise<Job[]> {
  const child = new Child("http/server", { args: [subject.name, "redis", String(redisPort)] });
  children.push(child);
  const { port } = await child.next<{ port: number }>();
  const login = await ask(port, routes.login);
  const cookie = toCookieHeader(login.setCookie);
  const jobs: Job[] = [];
  // Once for what a connection sends once, such as a script.
  await ask(port, routes.write, cookie);
  for (const mode of modes) {
    const path = mode === "write" ? routes.write : routes.read;
    const sent = mode === "anonymous" ? undefined : cookie;
    const target = { port, path, cookies: sent === undefined ? [] : [sent] };
    const listening = await monitor(redisPort);
    let setCookie = 0;
    for (let i = 0; i < COUNTED; i++) setCookie += (await ask(port, path, sent)).setCookie.length;
    const commands = await listening.stop();
    await warm(target, WARM_REQUESTS, WARM_MS);
    const body = (await ask(port, routes.read, sent)).body;
    if (body !== `hello ${sent === undefined ? "guest" : "alice"}`) {
      throw new Error(`${subject.name} answers "${body}"`);
    }
    const figures = { perSecond: [], cpu: [], commands, setCookie: setCookie / COUNTED };
    jobs.push({ subject, child, port, mode, path, cookie: sent, ...figures });
  }
  return jobs;
}

/** Runs it. */
export async function runRedis({ quick, rounds = quick ? 1 : 5 }: Settings): Promise<RedisResult> {
  const withWrk = findWrk();
  const service = await startService("redis");
  const children: Child[] = [];
  try {
    const jobs: Job[] = [];
    for (const subject of (await loadSubjects()).values()) {
      if (subject.redis !== undefined) jobs.push(...(await start(subject, service.port, children)));
    }
    await interleave(jobs, rounds, async ({ child, cookie, cpu, path, perSecond, port }) => {
      const cookies = cookie === undefined ? [] : [cookie];
      const before = await child.ask<CpuAnswer>({ ask: "cpu" });
      const made = await load({ port, path, cookies }, 1000, withWrk, CONNECTIONS);
      const after = await child.ask<CpuAnswer>({ ask: "cpu" });
      perSecond.push(made.perSecond);
      cpu.push((after.cpu - before.cpu) / made.requests);
    });
    const rows = jobs.map(({ commands, cpu, mode, perSecond, setCookie, subject }) => ({
      subject: subject.name,
      kind: subject.kind,
      versions: versionsOf(subject.packages),
      note: subject.note ?? "",
      mode,
      perSecond: spread(perSecond),
      cpu: spread(cpu),
      commands: commands.length / COUNTED,
      names: [...new Set(commands)].toSorted(),
      setCookie,
    }));
    return { tool: withWrk ? "wrk" : "autocannon", connections: CONNECTIONS, rows };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await service.close();
  }
}

/** A line for each row, for the terminal. */
export function printRedis({ rows }: RedisResult): void {
  console.log("\nRedis under Express");
  for (const { commands, cpu, mode, names, perSecond, subject } of rows) {
    console.log(
      `  ${mode.padEnd(10)}${subject.padEnd(32)}${perSecond.median.toFixed(0).padStart(7)}/s ` +
        `${cpu.median.toFixed(0).padStart(6)} us  ${commands} commands (${names.join(", ")})`,
    );
  }
}
