// `npm run costs:same-key`: what a step on one key costs when others take it at the same time: loads,
// saves and bytes for each `increment`, with 1, 2, 10 and 50 racers in one process and in four. Counted,
// not timed. Writes bench/results/same-key.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { startProxy } from "../../tests/support/proxy.ts";
import { readArguments } from "../../trials/lib/arguments.ts";
import { begin, openCourse } from "../../trials/race/exact/course.ts";
import { describeMachine } from "../lib/machine.ts";
import { startService } from "../lib/services.ts";

readArguments("costs:same-key", {});
const services = ["redis", "postgres"] as const;
const RACERS = [1, 2, 10, 50] as const;
const PROCESSES = [1, 4] as const;
/** Steps of each racer. */
const EACH = 10;
/** Steps before it counts: connections, scripts and statements are made once. */
const WARM = 20;

interface ExactRow {
  readonly store: string;
  readonly processes: number;
  readonly racers: number;
  /** Commands for each step: one to load and one to save where nobody races. */
  readonly loads: number;
  readonly saves: number;
  /** Bytes between the processes and the store for each step, both ways. */
  readonly bytes: number;
}

async function measureAll(): Promise<ExactRow[]> {
  const rows: ExactRow[] = [];
  for (const store of services) {
    const service = await startService(store);
    try {
      for (const processes of PROCESSES) {
        rows.push(...(await measure(store, service.port, service.url, processes)));
      }
    } finally {
      await service.close();
    }
  }
  return rows;
}

async function measure(
  store: (typeof services)[number],
  port: number,
  url: string | undefined,
  processes: number,
): Promise<ExactRow[]> {
  const proxy = await startProxy(port);
  const address = (url ?? `redis://127.0.0.1:${port}`).replace(`${port}`, `${proxy.port}`);
  const course = await openCourse({ subject: store, address, processes });
  const rows: ExactRow[] = [];
  try {
    for (const racers of RACERS) {
      const cookie = await begin(course, {});
      const run = async (racer: number, steps: number): Promise<void> => {
        for (let step = 0; step < steps; step++) {
          const { status } = await course.ask("/increment/n", cookie, racer);
          if (status !== 200) throw new Error(`${store} answered ${status}`);
        }
      };
      const runAll = (count: number, steps: number): Promise<unknown> =>
        Promise.all(Array.from({ length: count }, (_, racer) => run(racer, steps)));
      await runAll(processes, WARM);
      proxy.take();
      await course.counts();
      await runAll(racers, EACH);
      const { sent, received } = proxy.take();
      const { loads, saves } = await course.counts();
      const steps = racers * EACH;
      const bytes = (sent + received) / steps;
      rows.push({ store, processes, racers, loads: loads / steps, saves: saves / steps, bytes });
    }
  } finally {
    await course.close();
    await proxy.close();
  }
  return rows;
}

/** How much more each step costs than where nobody races. */
function print(rows: readonly ExactRow[]): void {
  console.log("store     processes  racers  loads  saves  bytes  as against one racer");
  for (const { store, processes, racers, loads, saves, bytes } of rows) {
    const alone = rows.find(
      (row) => row.store === store && row.processes === processes && row.racers === 1,
    );
    const cells = [
      store.padEnd(8),
      String(processes).padStart(10),
      String(racers).padStart(7),
      loads.toFixed(2).padStart(6),
      saves.toFixed(2).padStart(6),
      bytes.toFixed(0).padStart(6),
      `${(bytes / (alone?.bytes ?? bytes)).toFixed(2)} times the bytes`,
    ];
    console.log(cells.join(" "));
  }
}

const rows = await measureAll();
print(rows);
const folder = new URL("../results/", import.meta.url);
mkdirSync(folder, { recursive: true });
const result = { machine: describeMachine(new URL("../../", import.meta.url)), rows };
writeFileSync(new URL("same-key.json", folder), `${JSON.stringify(result, undefined, 1)}\n`);
