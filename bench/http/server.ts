// One server in a process of its own: a subject on a host. It answers what the processor spent, and
// records a profile when it is asked to.
import { Session } from "node:inspector/promises";
import type { Profiler } from "node:inspector";
import { tell } from "../lib/child.ts";
import { type HostName, loadSubjects } from "../lib/subject.ts";

/** What the parent may ask. */
export type ServerQuestion = { readonly ask: "cpu" | "profile" | "profiled" };
/** User and system time of all threads so far, in microseconds. */
export interface CpuAnswer {
  readonly cpu: number;
}
/** The profile since it was asked for. */
export interface ProfileAnswer {
  readonly profile: Profiler.Profile;
}

/** Microseconds between two looks of the profiler. */
const SAMPLING_INTERVAL = 100;

const inspector = new Session();

async function answer({ ask }: ServerQuestion): Promise<object> {
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

const [name = "", host = ""] = process.argv.slice(2);
const start = (await loadSubjects()).get(name)?.http?.[host as HostName];
if (start === undefined) throw new Error(`no subject "${name}" on ${host}`);
const { port } = await start();
process.on("message", (question: ServerQuestion) => {
  void answer(question).then(tell);
});
tell({ port });
