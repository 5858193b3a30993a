// What `npm run bench` was asked for, and the results that it writes. Every part measures by itself.
import { mkdirSync, writeFileSync } from "node:fs";
import { benchArguments, type Part, parts } from "./arguments.ts";
import { printHttp, runHttp } from "./http/run.ts";
import { runProfile } from "./http/profile.ts";
import { printEventLoop, runEventLoop } from "./eventloop/run.ts";
import { printGrowth, runGrowth } from "./growth/run.ts";
import { printImport, runImport } from "./import/run.ts";
import { root } from "./lib/load.ts";
import { describeMachine } from "./lib/machine.ts";
import { findNodes, type Settings } from "./lib/settings.ts";
import type { HostName, Mode } from "./lib/subject.ts";
import { printMemory, runMemory } from "./memory/run.ts";
import { printRedis, runRedis } from "./redis/run.ts";
import { printRevocations, runRevocations } from "./revocations/run.ts";
import { printMerge, runMerge } from "./merge/run.ts";
import { writePage } from "./report/page.ts";
import { printSeal, runSeal } from "./seal/run.ts";

const run: Readonly<Record<Part, (settings: Settings) => Promise<object>>> = {
  seal: async (settings) => {
    const result = await runSeal(settings);
    printSeal(result);
    return { nodes: result };
  },
  http: async (settings) => {
    const result = await runHttp(settings);
    printHttp(result);
    return result;
  },
  redis: async (settings) => {
    const result = await runRedis(settings);
    printRedis(result);
    return result;
  },
  memory: async (settings) => {
    const result = await runMemory(settings);
    printMemory(result);
    return result;
  },
  growth: async () => {
    const result = await runGrowth();
    printGrowth(result);
    return result;
  },
  import: async (settings) => {
    const result = await runImport(settings);
    printImport(result);
    return result;
  },
  merge: async (settings) => {
    const result = await runMerge(settings);
    printMerge(result);
    return result;
  },
  revocations: async (settings) => {
    const result = await runRevocations(settings);
    printRevocations(result);
    return result;
  },
  eventloop: async (settings) => {
    const result = await runEventLoop(settings);
    printEventLoop(result);
    return result;
  },
};

async function main(): Promise<void> {
  const { names, quick, rounds, host, subject = "kocha-session", mode = "read" } = benchArguments();
  if (names.includes("profile")) {
    await runProfile((host?.[0] ?? "node") as HostName, subject, mode as Mode);
    return;
  }
  if (names.includes("page")) {
    await writePage();
    return;
  }
  const settings: Settings = {
    quick,
    nodes: findNodes(),
    ...(rounds !== undefined && { rounds }),
    ...(host !== undefined && { only: host }),
  };
  const results = new URL("bench/results/", root);
  mkdirSync(results, { recursive: true });
  for (const name of parts) {
    if (names.length > 0 && !names.includes(name)) continue;
    const started = Date.now();
    const result = {
      machine: describeMachine(),
      quick: settings.quick,
      ...(await run[name](settings)),
    };
    // A look isn't a result.
    const file = quick || host !== undefined ? `${name}.quick.json` : `${name}.json`;
    writeFileSync(new URL(file, results), `${JSON.stringify(result, undefined, 1)}\n`);
    if (!file.includes("quick")) await writePage();
    console.log(`\n${name}: ${Math.round((Date.now() - started) / 1000)} s, bench/results/${file}`);
  }
}

await main();
