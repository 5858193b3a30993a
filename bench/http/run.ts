// `npm run bench -- http`: what a session adds to a request on each host, in processor time of the
// server, beside requests a second; the host without a session is measured in the same rounds.
import { Child } from "../lib/child.ts";
import { versionsOf } from "../lib/load.ts";
import { type Settings, versionOfNode } from "../lib/settings.ts";
import { interleave, spread, type Spread } from "../lib/stats.ts";
import {
  type HostName,
  hostNames,
  loadSubjects,
  type Mode,
  modes,
  type Subject,
} from "../lib/subject.ts";
import { ask, CONNECTIONS, findWrk, load, type Target, toCookieHeader, warm } from "./load.ts";
import { type Route, routes } from "./routes.ts";
import type { CpuAnswer } from "./server.ts";

const routeOf: Readonly<Record<Mode, Route>> = {
  read: "read",
  fresh: "read",
  write: "write",
  anonymous: "read",
  idle: "idle",
  passing: "idle",
};

/** Distinct sessions of the mode "fresh": four times what our cache of verified tokens holds. */
export const FRESH = 4000;
const WARM_REQUESTS = 3000;
const WARM_MS = 1000;
/** Milliseconds of a turn: a machine that changes its pace changes it less within them. */
const TURN_MS = 300;
/** Before it, unmeasured: a server that was idle for long begins slowly, the host without a session never is. */
const RISE_MS = 100;

/** A subject on a host in one mode. */
export interface HttpRow {
  readonly host: HostName;
  readonly subject: string;
  readonly kind: string;
  readonly versions: string;
  readonly note: string;
  readonly mode: Mode;
  /** CPU microseconds of the server for a request. */
  readonly cpu: Spread;
  /** Those above the host's without a session, which is measured right before and after each turn. */
  readonly added: Spread;
  readonly perSecond: Spread;
  /** Requests a second, as a part of the host's without a session right before and after. */
  readonly ofNone: Spread;
  /** Set-Cookie headers of one answer. */
  readonly setCookie: number;
}

/** All of it. */
export interface HttpResult {
  /** The Node.js that the servers ran on: the newest of the run's. */
  readonly node: string;
  readonly tool: string;
  readonly connections: number;
  readonly rows: readonly HttpRow[];
  /** Peers that didn't do what is measured, and how. */
  readonly unmeasured: readonly string[];
}

/** A server that runs, and the Cookie headers for it. */
export interface Running {
  readonly subject: Subject;
  readonly child: Child;
  readonly port: number;
  readonly cookie: string;
  readonly setCookies: Readonly<Record<Mode, number>>;
}

/** What one turn cost. */
interface Turn {
  readonly cpu: number;
  readonly perSecond: number;
}

interface Job {
  readonly running: Running;
  readonly mode: Mode;
  readonly target: Target;
  readonly turns: Turn[];
  /** The same turns, as multiples of the host's without a session. */
  readonly ratios: Turn[];
}

/** Starts a server and makes sure that it does what it is measured for. */
export async function startServer(
  subject: Subject,
  host: HostName | "redis",
  { redisPort = 0, node }: { readonly redisPort?: number; readonly node?: string | undefined } = {},
): Promise<Running> {
  const args = [subject.name, host, String(redisPort)];
  const child = new Child("http/server", { args, ...(node !== undefined && { node }) });
  const { port } = await child.next<{ port: number }>();
  const login = await ask(port, routes.login);
  const cookie = toCookieHeader(login.setCookie);
  const expect = async (path: string, name: string, sent?: string): Promise<number> => {
    const { body, setCookie } = await ask(port, path, sent);
    if (body === `hello ${name}`) return setCookie.length;
    throw new Error(`${subject.name} on ${host} answers "${body}" to ${path}`);
  };
  const isNone = subject.kind === "none";
  if (!isNone && cookie === "") throw new Error(`${subject.name} on ${host} sets no cookie`);
  const sent = cookie === "" ? undefined : cookie;
  const written = await ask(port, routes.write, sent);
  const after = toCookieHeader(written.setCookie, cookie);
  const setCookies = {
    read: await expect(routes.read, "alice", sent),
    fresh: await expect(routes.read, "alice", after === "" ? undefined : after),
    write: written.setCookie.length,
    anonymous: await expect(routes.read, isNone ? "alice" : "guest"),
    idle: await expect(routes.idle, "alice", sent),
    passing: await expect(routes.idle, "alice"),
  };
  return { subject, child, port, cookie, setCookies };
}

/** The modes in which a subject is measured. */
function modesOf({ kind, modes: own }: Subject): readonly Mode[] {
  if (own !== undefined) return own;
  if (kind === "none") return ["read"];
  // Without a cookie the floor is the host without a session.
  if (kind === "limit") return ["read", "fresh", "write"];
  if (kind === "peer") return ["read", "fresh", "write", "anonymous"];
  return modes;
}

/** The Cookie headers of a mode. */
export async function cookiesOf({ cookie, port }: Running, mode: Mode, fresh = FRESH) {
  if (cookie === "" || mode === "anonymous" || mode === "passing") return [];
  if (mode !== "fresh") return [cookie];
  const cookies: string[] = [];
  const login = async (): Promise<void> => {
    while (cookies.length < fresh) {
      cookies.push(toCookieHeader((await ask(port, routes.login)).setCookie));
    }
  };
  await Promise.all(Array.from({ length: 16 }, login));
  return cookies;
}

/** The line that is maintained: what a host costs changes more with Node than with a session. */
function nodeOf({ nodes }: Settings): string | undefined {
  return nodes.at(-1);
}

/** Runs it, host by host. */
export async function runHttp(settings: Settings): Promise<HttpResult> {
  const withWrk = findWrk();
  const subjects = [...(await loadSubjects()).values()];
  const rows: HttpRow[] = [];
  const unmeasured: string[] = [];
  for (const host of hostNames) {
    if (settings.only !== undefined && !settings.only.includes(host)) continue;
    console.log(`\nhttp: ${host}`);
    rows.push(...(await runHost(host, subjects, withWrk, settings, unmeasured)));
  }
  const tool = withWrk ? "wrk" : "autocannon";
  return {
    node: versionOfNode(nodeOf(settings)),
    tool,
    connections: CONNECTIONS,
    rows,
    unmeasured,
  };
}

async function runHost(
  host: HostName,
  subjects: readonly Subject[],
  withWrk: boolean,
  settings: Settings,
  unmeasured: string[],
): Promise<HttpRow[]> {
  const { quick, rounds = quick ? 3 : 8 } = settings;
  const servers: Running[] = [];
  try {
    const jobs: Job[] = [];
    for (const subject of subjects) {
      if (subject.http?.[host] === undefined) continue;
      const running = await startServer(subject, host, { node: nodeOf(settings) }).catch(
        (error: unknown) => {
          // A peer that doesn't do what is measured is left out, and named.
          if (subject.kind !== "peer") throw error;
          unmeasured.push(`${subject.name} on ${host}: ${String(error)}`);
        },
      );
      if (running === undefined) continue;
      servers.push(running);
      for (const mode of modesOf(subject)) {
        const cookies = await cookiesOf(running, mode, FRESH);
        const target = { port: running.port, path: routes[routeOf[mode]], cookies };
        await warm({ ...target, cookies: cookies.slice(0, 1) }, WARM_REQUESTS, WARM_MS);
        jobs.push({ running, mode, target, turns: [], ratios: [] });
      }
    }
    const [none, ...others] = jobs;
    if (none === undefined) return [];
    let before = await measure(none, withWrk, 0);
    await interleave(others, rounds, async (job) => {
      const turn = await measure(job, withWrk);
      const after = await measure(none, withWrk, 0);
      job.turns.push(turn);
      job.ratios.push({
        cpu: (2 * turn.cpu) / (before.cpu + after.cpu),
        perSecond: (2 * turn.perSecond) / (before.perSecond + after.perSecond),
      });
      none.turns.push(after);
      before = after;
    });
    const base = spread(none.turns.map(({ cpu }) => cpu)).median;
    return [toRow(host, none, base, true), ...others.map((job) => toRow(host, job, base))];
  } finally {
    await Promise.all(servers.map(({ child }) => child.stop()));
  }
}

async function measure(
  { running: { child }, target }: Job,
  withWrk: boolean,
  rise = RISE_MS,
): Promise<Turn> {
  if (rise > 0) await load(target, rise, withWrk);
  const before = await child.ask<CpuAnswer>({ ask: "cpu" });
  const { requests, perSecond } = await load(target, TURN_MS, withWrk);
  const after = await child.ask<CpuAnswer>({ ask: "cpu" });
  return { cpu: (after.cpu - before.cpu) / requests, perSecond };
}

function toRow(
  host: HostName,
  { running: { subject, setCookies }, mode, turns, ratios }: Job,
  base: number,
  isBase = false,
): HttpRow {
  return {
    host,
    subject: subject.name,
    kind: subject.kind,
    versions: versionsOf(subject.packages),
    note: subject.note ?? "",
    mode,
    cpu: spread(turns.map(({ cpu }) => cpu)),
    added: spread(isBase ? [0] : ratios.map(({ cpu }) => (cpu - 1) * base)),
    perSecond: spread(turns.map(({ perSecond }) => perSecond)),
    ofNone: spread(isBase ? [1] : ratios.map(({ perSecond }) => perSecond)),
    setCookie: setCookies[mode],
  };
}

/** A line for each row, for the terminal. */
export function printHttp({ rows, unmeasured }: HttpResult): void {
  for (const line of unmeasured) console.error(`not measured: ${line}`);
  for (const host of hostNames) {
    const ofHost = rows.filter((row) => row.host === host);
    if (ofHost.length === 0) continue;
    console.log(`\n${host}`);
    for (const mode of modes) {
      const ofMode = ofHost.filter((row) => row.mode === mode);
      ofMode.sort((one, other) => one.cpu.median - other.cpu.median);
      for (const { subject, cpu, added, ofNone, perSecond, setCookie } of ofMode) {
        console.log(
          `  ${mode.padEnd(10)}${subject.padEnd(30)}${cpu.median.toFixed(1).padStart(8)} us ` +
            `${added.median.toFixed(1).padStart(8)} added ${ofNone.median.toFixed(2).padStart(6)} of none ` +
            `${perSecond.median.toFixed(0).padStart(7)}/s ${setCookie} Set-Cookie`,
        );
      }
    }
  }
}
