// `npm run bench -- profile --host <host> --subject <subject> --mode <mode>`: where a server's time goes under load, by
// package and by function. It changes nothing and writes nothing.
import type { Profiler } from "node:inspector";
import { startService } from "../lib/services.ts";
import { type HostName, loadSubjects, type Mode } from "../lib/subject.ts";
import { findWrk, load } from "./load.ts";
import { cookiesOf, startServer } from "./run.ts";
import { routes } from "./routes.ts";
import type { ProfileAnswer } from "./server.ts";

interface Line {
  readonly name: string;
  readonly self: number;
}

const paths: Readonly<Record<Mode, string>> = {
  read: routes.read,
  fresh: routes.read,
  write: routes.write,
  anonymous: routes.read,
  idle: routes.idle,
  passing: routes.idle,
};

/** Whose code a function is. */
function ownerOf(url: string, name: string): string {
  if (name === "(garbage collector)") return "garbage collector";
  if (name === "(program)" || name === "(idle)" || name === "(root)") return name;
  if (url === "" || url.startsWith("node:")) return url === "" ? "native" : "node";
  const installed = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (installed !== undefined) return installed;
  return url.includes("/dist/") ? "kocha-session" : "bench";
}

function sum(lines: Iterable<Line>): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { name, self } of lines) totals.set(name, (totals.get(name) ?? 0) + self);
  return new Map([...totals].toSorted(([, one], [, other]) => other - one));
}

/** What a response goes through with or without a session. */
const sends = new Set(["end", "write", "writeHead", "flushHeaders", "_implicitHeader"]);

/** The share of each function's own time, and of all that runs under it. */
function analyse({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
  const selfs = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    selfs.set(id, (selfs.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const labelOf = (id: number): string => {
    const frame = byId.get(id)?.callFrame;
    const file = (frame?.url ?? "").replace(/^.*\/(dist|node_modules|\.out)\//, "");
    return `${frame?.functionName || "(anonymous)"} ${file}:${(frame?.lineNumber ?? 0) + 1}`;
  };
  const ownerOfId = (id: number): string => {
    const frame = byId.get(id)?.callFrame;
    return ownerOf(frame?.url ?? "", frame?.functionName ?? "");
  };
  const owners: Line[] = [];
  const functions: Line[] = [];
  const inclusive: Line[] = [];
  const underOurs: Line[] = [];
  for (const [id, self] of selfs) {
    owners.push({ name: ownerOfId(id), self });
    functions.push({ name: labelOf(id), self });
    const seen = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      if (ownerOfId(at) !== "kocha-session" || seen.has(labelOf(at))) continue;
      // What ours calls is on its account, unless ours called the application on.
      if (seen.size === 0 && !leavesToHost(id, at)) underOurs.push({ name: labelOf(id), self });
      seen.add(labelOf(at));
      inclusive.push({ name: labelOf(at), self });
    }
  }
  return {
    owners: sum(owners),
    functions: sum(functions),
    inclusive: sum(inclusive),
    underOurs: sum(underOurs),
  };

  /** Whether the sample, though under a frame of ours, is what the host would do without us. */
  function leavesToHost(from: number, to: number): boolean {
    for (let at: number | undefined = from; at !== undefined && at !== to; at = parents.get(at)) {
      const { functionName = "", url = "" } = byId.get(at)?.callFrame ?? {};
      if (url.startsWith("node:_http_") && sends.has(functionName)) return true;
      const owner = ownerOfId(at);
      if (!["node", "native", "garbage collector", "kocha-session"].includes(owner)) return true;
    }
    return false;
  }
}

const total = (totals: ReadonlyMap<string, number>): number =>
  [...totals.values()].reduce((sofar, value) => sofar + value, 0);

function print(
  title: string,
  totals: ReadonlyMap<string, number>,
  { all, perRequest }: { readonly all: number; readonly perRequest: number },
  most = 14,
): void {
  console.log(`  ${title}: ${((100 * total(totals)) / all).toFixed(1)} %`);
  for (const [name, self] of [...totals].slice(0, most)) {
    const share = ((100 * self) / all).toFixed(1).padStart(5);
    console.log(`    ${share} %  ${(self * perRequest).toFixed(1).padStart(7)} us  ${name}`);
  }
}

/** Profiles a subject on a host in one mode for some seconds. */
export async function runProfile(
  host: HostName | "redis",
  name: string,
  mode: Mode,
  seconds = 4,
): Promise<void> {
  const subject = (await loadSubjects()).get(name);
  if (subject === undefined) throw new Error(`no subject is called "${name}"`);
  const withWrk = findWrk();
  const service = host === "redis" ? await startService("redis") : undefined;
  const running = await startServer(subject, host, { redisPort: service?.port ?? 0 });
  try {
    const target = {
      port: running.port,
      path: paths[mode],
      cookies: await cookiesOf(running, mode),
    };
    await load(target, 2000, withWrk);
    await running.child.ask({ ask: "profile" });
    const { requests } = await load(target, 1000 * seconds, withWrk);
    const { profile } = await running.child.ask<ProfileAnswer>({ ask: "profiled" });
    const { owners, functions, inclusive, underOurs } = analyse(profile);
    owners.delete("(idle)");
    functions.delete("(idle) :0");
    const perRequest = 1 / requests;
    const all = total(owners);
    console.log(
      `\n${host}, ${name}, ${mode}: ${(all * perRequest).toFixed(1)} us of wall time a request`,
    );
    const shares = { all, perRequest };
    print("whose code (self)", owners, shares);
    print("functions (self)", functions, shares, 25);
    print("ours (with what it calls, the application included)", inclusive, shares, 25);
    print("on our account (self; what the host would do anyway left out)", underOurs, shares, 30);
  } finally {
    await running.child.stop();
    await service?.close();
  }
}
