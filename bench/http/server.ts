// One server in a process of its own: a subject on a host. It answers what the processor spent, and
// records a profile when it is asked to.
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Profiler } from "node:inspector";
import { tell } from "../lib/child.ts";
import { type HostName, loadSubjects } from "../lib/subject.ts";

/** What the parent may ask. */
export type ServerQuestion = {
  readonly ask: "cpu" | "profile" | "profiled" | "loop" | "looped";
};
/** User and system time of all threads so far, in microseconds. */
export interface CpuAnswer {
  readonly cpu: number;
}
/** The profile since it was asked for. */
export interface ProfileAnswer {
  readonly profile: Profiler.Profile;
}

/** The event loop's delays since they were asked for, in milliseconds. */
export interface LoopAnswer {
  readonly longest: number;
  readonly p99: number;
}

/** Milliseconds between two looks at the event loop. */
const LOOP_RESOLUTION = 1;
/** Microseconds between two looks of the profiler. */
const SAMPLING_INTERVAL = 100;

const inspector = new Session();
const delays = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION });

async function answer({ ask }: ServerQuestion): Promise<object> {
  if (ask === "loop") {
    delays.reset();
    delays.enable();
    return {};
  }
  if (ask === "looped") {
    delays.disable();
    return { longest: delays.max / 1e6, p99: delays.percentile(99) / 1e6 };
  }
  if (ask === "profiled") return inspector.post("Profiler.stop");
  if (ask === "profile") {
    inspector.connect();
    await inspector.post("Profiler.enable");
    await inspector.post("Profiler.setSamplingInterval", { interval: SAMPLING_INTERVAL });
    await inspector.post("Profiler.start");
    return {};
  }
  const { user, system } = process.cpuUsage();
  return { cpu: user + system };
}

const [name = "", host = "", service = ""] = process.argv.slice(2);
const subject = (await loadSubjects()).get(name);
const server =
  host === "redis" ? subject?.redis?.(Number(service)) : subject?.http?.[host as HostName]?.();
if (server === undefined) throw new Error(`no subject "${name}" on ${host}`);
const { port } = await server;
process.on("message", (question: ServerQuestion) => {
  void answer(question).then(tell);
});
tell({ port });
