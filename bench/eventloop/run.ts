// `npm run bench -- eventloop`: how long a server's event loop is blocked at a time while 1,000
// requests with large sessions are under way, all of them writing.
import { Child } from "../lib/child.ts";
import { versionsOf } from "../lib/load.ts";
import type { Settings } from "../lib/settings.ts";
import { interleave, spread, type Spread } from "../lib/stats.ts";
import { type HostName, hostNames, loadSubjects, type Subject } from "../lib/subject.ts";
import { ask, findWrk, loadPatiently, toCookieHeader, warm } from "../http/load.ts";
import { routes } from "../http/routes.ts";
import type { LoopAnswer } from "../http/server.ts";

const IN_FLIGHT = 1000;
const WARM_REQUESTS = 2000;
const WARM_MS = 1500;

interface LoopRow {
  readonly host: HostName;
  readonly subject: string;
  readonly kind: string;
  readonly versions: string;
  readonly note: string;
  /** Milliseconds of the longest block in each round. */
  readonly longest: Spread;
  /** The 99th percentile of the loop's delay, milliseconds. */
  readonly p99: Spread;
  readonly perSecond: Spread;
}

/** The result. */
export interface LoopResult {
  readonly tool: string;
  readonly inFlight: number;
  readonly rows: readonly LoopRow[];
}

interface Job {
  readonly subject: Subject;
  readonly child: Child;
  readonly port: number;
  readonly cookie: string;
  readonly longest: number[];
  readonly p99: number[];
  readonly perSecond: number[];
}

async function start(subject: Subject, host: HostName): Promise<Job | undefined> {
  const args = [subject.name, host];
  const child = new Child("http/server", { args, env: { BENCH_SIZE: "large" } });
  const { port } = await child.next<{ port: number }>();
  const cookie = toCookieHeader((await ask(port, routes.login)).setCookie);
  const target = { port, path: routes.write, cookies: cookie === "" ? [] : [cookie] };
  await warm(target, WARM_REQUESTS, WARM_MS);
  return { subject, child, port, cookie, longest: [], p99: [], perSecond: [] };
}

/** Runs it, host by host. */
export async function runEventLoop(settings: Settings): Promise<LoopResult> {
  const { only, quick, rounds = quick ? 1 : 2 } = settings;
  const withWrk = findWrk();
  const subjects = [...(await loadSubjects()).values()];
  const rows: LoopRow[] = [];
  for (const host of hostNames) {
    if (only !== undefined && !only.includes(host)) continue;
    const jobs: Job[] = [];
    try {
      for (const subject of subjects) {
        if (subject.http?.[host] === undefined || subject.modes !== undefined) continue;
        const job = await start(subject, host);
        if (job !== undefined) jobs.push(job);
      }
      await interleave(jobs, rounds, async ({ child, cookie, longest, p99, perSecond, port }) => {
        await child.ask({ ask: "loop" });
        const target = { port, path: routes.write, cookies: cookie === "" ? [] : [cookie] };
        const made = await loadPatiently(target, 1000, withWrk, IN_FLIGHT);
        const answer = await child.ask<LoopAnswer>({ ask: "looped" });
        longest.push(answer.longest);
        p99.push(answer.p99);
        perSecond.push(made.perSecond);
      });
    } finally {
      await Promise.all(jobs.map(({ child }) => child.stop()));
    }
    rows.push(...jobs.map((job) => toRow(host, job)));
  }
  return { tool: withWrk ? "wrk" : "autocannon", inFlight: IN_FLIGHT, rows };
}

function toRow(host: HostName, { longest, p99, perSecond, subject }: Job): LoopRow {
  return {
    host,
    subject: subject.name,
    kind: subject.kind,
    versions: versionsOf(subject.packages),
    note: subject.note ?? "",
    longest: spread(longest),
    p99: spread(p99),
    perSecond: spread(perSecond),
  };
}

/** A line for each row, for the terminal. */
export function printEventLoop({ inFlight, rows }: LoopResult): void {
  console.log(`\nthe event loop with ${inFlight} requests in flight`);
  for (const { host, longest, p99, perSecond, subject } of rows) {
    console.log(
      `  ${host.padEnd(9)}${subject.padEnd(32)}longest ${longest.median.toFixed(0).padStart(5)} ms  ` +
        `p99 ${p99.median.toFixed(0).padStart(5)} ms ${perSecond.median.toFixed(0).padStart(7)}/s`,
    );
  }
}
