// `npm run sweep`: a million expired rows are swept in batches while commits go on. What it costs
// the commits is said as ratios of their times during the sweep to their times before it.
import { mkdirSync, writeFileSync } from "node:fs";
import type { SessionChange, SessionStore } from "../../src/store/contract.ts";
import { encodeMeta } from "../../src/engine/ticketed/meta.ts";
import { encodeData } from "../../src/stores/sql/codec.ts";
import { mintSelector } from "../../src/store/selector.ts";
import { sessions } from "../lib/data.ts";
import { describeMachine } from "../lib/machine.ts";
import { quantile } from "../lib/stats.ts";
import { type Engine, openPostgres, openSqlite } from "./engines.ts";
import { option, readArguments } from "../../trials/lib/arguments.ts";

const asked = readArguments("sweep", {
  rows: option.number(1_000_000, "expired rows"),
  seconds: option.number(30, "how long commits are timed before the sweep begins"),
  rate: option.number(200, "commits a second"),
});
const root = new URL("../../", import.meta.url);
/** Told at the start: the sources may go on while it runs. */
const machine = describeMachine(root);
const EXPIRED = asked.rows;
/** How long commits are timed before the sweep begins. */
const BEFORE = asked.seconds * 1000;
/** Commits a second, by the clock: a commit that comes late is timed from when it was due. */
const RATE = asked.rate;
const LIVE = 2000;
const HOUR = 3_600_000;

/** How each engine is swept: so many rows a time, and a pause in between. */
const engines: Readonly<
  Record<string, { open: () => Promise<Engine>; batch: number; pause: number }>
> = {
  SQLite: { open: openSqlite, batch: 50, pause: 10 },
  PostgreSQL: { open: openPostgres, batch: 1000, pause: 10 },
};

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function change(more: Partial<SessionChange>): SessionChange {
  return { op: "update", rev: 1, set: new Map(), del: [], ttl: 0, deadline: Infinity, ...more };
}

/** Commits at a steady rate until it is stopped, and how long each took in milliseconds. */
class Traffic {
  readonly #store: SessionStore;
  readonly #keys: readonly string[];
  readonly #pending = new Set<Promise<void>>();
  isOver = false;
  times: number[] = [];
  refused = 0;

  constructor(store: SessionStore, keys: readonly string[]) {
    this.#store = store;
    this.#keys = keys;
  }

  async run(): Promise<void> {
    const started = performance.now();
    for (let index = 0; !this.isOver; index++) {
      const due = started + (index * 1000) / RATE;
      const early = due - performance.now();
      if (early > 0) await wait(early);
      const one = this.#commit(index, due).finally(() => this.#pending.delete(one));
      this.#pending.add(one);
    }
    await Promise.all(this.#pending);
  }

  async #commit(index: number, due: number): Promise<void> {
    const set = new Map([["csrf", mintSelector()]]);
    const saved = await this.#store.save(
      this.#keys[index % this.#keys.length] ?? "",
      change({ set }),
    );
    if (saved === undefined) this.refused++;
    this.times.push(performance.now() - due);
  }
}

interface Times {
  readonly commits: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

function timesOf(all: readonly number[]): Times {
  const sorted = all.toSorted((one, other) => one - other);
  const at = (part: number): number => Number(quantile(sorted, part).toPrecision(3));
  return { commits: all.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function measure(name: string): Promise<object> {
  const engine = engines[name];
  if (engine === undefined) throw new Error(`there is no engine ${name}`);
  const { open, batch, pause } = engine;
  const { store, fill, count, close } = await open();
  try {
    const meta = encodeMeta({
      created: Date.now(),
      deadline: Infinity,
      barriers: 0,
      barrierAt: 0,
      boundAt: 0,
    });
    const data = new Map(Object.entries(sessions.small));
    const keys = Array.from({ length: LIVE }, mintSelector);
    const { rev: _, ...creation } = change({ op: "create", set: data, ttl: HOUR, meta });
    for (const selector of keys) await store.save(selector, creation);
    await fill(EXPIRED, { data: encodeData(data), meta });

    const traffic = new Traffic(store, keys);
    const running = traffic.run();
    await wait(BEFORE);
    const before = timesOf(traffic.times);
    traffic.times = [];
    const started = performance.now();
    const batches: number[] = [];
    let swept = 0;
    for (;;) {
      const at = performance.now();
      const removed = await store.sweep(batch);
      batches.push(performance.now() - at);
      swept += removed;
      if (removed === 0) break;
      await wait(pause);
    }
    const seconds = (performance.now() - started) / 1000;
    const during = timesOf(traffic.times);
    traffic.isOver = true;
    await running;
    const left = await count();
    if (swept !== EXPIRED || left !== LIVE || traffic.refused > 0) {
      throw new Error(`${name}: ${swept} swept, ${left} left, ${traffic.refused} commits refused`);
    }
    const ratio = (of: "p50" | "p99"): number => Number((during[of] / before[of]).toFixed(2));
    const p50 = ratio("p50");
    const p99 = ratio("p99");
    console.log(`${name}: commits' p99 during the sweep ${p99} of before, p50 ${p50}`);
    return {
      swept,
      batch,
      pauseMs: pause,
      seconds: Math.round(seconds),
      rowsPerSecond: Math.round(swept / seconds),
      sweepMs: timesOf(batches),
      commitsPerSecond: RATE,
      beforeMs: before,
      duringMs: during,
      ratio: { p50, p99 },
    };
  } finally {
    await close();
  }
}

const results: Record<string, object> = {};
for (const name of Object.keys(engines)) results[name] = await measure(name);
// A look isn't a result.
const file = EXPIRED === 1_000_000 ? "sweep.json" : "sweep.quick.json";
const result = { machine, expired: EXPIRED, live: LIVE, results };
const folder = new URL("bench/results/", root);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL(file, folder), `${JSON.stringify(result, undefined, 1)}\n`);
