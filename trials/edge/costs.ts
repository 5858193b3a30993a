// `npm run costs:workers`: the processor time of workerd for a read and a write, beside a request without a session;
// writes docs/results/edge.md. Time on the clock would measure the machine's other work.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { table, writeRun } from "../lib/report.ts";
import { progress } from "../lib/verdict.ts";
import { ourObjects } from "./objects.ts";
import { bundle, COMPATIBILITY_DATE, start } from "./workerd.ts";

const TURNS = 5;
const REQUESTS = 300;
/** Of /proc: one tick in microseconds. */
const TICK = 10_000;

const cases = {
  "no session": "/bare",
  "cookie store, read": "/cookie",
  "cookie store, write": "/cookie?write",
  "Durable Object, read": "/object",
  "Durable Object, write": "/object?write",
  "poll of a log that has nothing new": "/poll",
} as const;

const key = (): string => randomBytes(32).toString("base64");
const script = await bundle("costs.mjs", { minify: true });
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** The processor time of workerd so far, in microseconds: utime and stime of proc_pid_stat(5). */
function workerdTime(): number {
  const stats = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, "utf8");
      } catch {
        return "";
      }
    });
  for (const stat of stats) {
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (!stat.includes("(workerd)") || Number(fields[1]) !== process.pid) continue;
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  }
  throw new Error("there is no workerd of this process");
}

async function ask(url: URL, path: string, cookie: string): Promise<string> {
  const headers = cookie === "" ? {} : { cookie };
  const sent = request(new URL(path, url), { agent, headers }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  for await (const _ of response);
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
  return response.headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";
}

/** Microseconds a request, of each case. */
async function measure(flags: readonly string[]): Promise<number[]> {
  const miniflare = await start([
    {
      name: "worker",
      modules: true,
      script,
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: [...flags],
      bindings: { SECRET_KEY: key(), SIGNING_KEY: key() },
      durableObjects: ourObjects,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    },
  ]);
  const url = await miniflare.unsafeGetDirectURL("worker");
  const cookies = new Map<string, string>();
  for (const path of Object.values(cases)) {
    cookies.set(path, path === "/bare" ? "" : await ask(url, `${path.split("?")[0]}?write`, ""));
  }
  const turns: number[][] = Object.values(cases).map(() => []);
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const [index, path] of Object.values(cases).entries()) {
      const before = workerdTime();
      for (let count = 0; count < REQUESTS; count++) await ask(url, path, cookies.get(path) ?? "");
      // The first turn warms up.
      if (turn > 0) turns[index]?.push((workerdTime() - before) / REQUESTS);
    }
  }
  await miniflare.dispose();
  return turns.map((own) => own.toSorted((one, other) => one - other)[(TURNS - 1) / 2] ?? 0);
}

progress("without flags");
const plain = await measure([]);
progress("with nodejs_compat");
const compat = await measure(["nodejs_compat"]);
const ratio = (own: readonly number[], index: number): string =>
  ((own[index] ?? 0) / (own[0] ?? 1)).toFixed(1);
const rows = Object.keys(cases).map((name, index) => [
  name,
  Math.round(plain[index] ?? 0),
  ratio(plain, index),
  Math.round(compat[index] ?? 0),
  ratio(compat, index),
]);
const head = ["", "µs", "x no session", "µs with nodejs_compat", "x no session"];
agent.destroy();
writeRun({ document: "edge", section: "costs", command: "costs:workers" }, table(head, rows));
