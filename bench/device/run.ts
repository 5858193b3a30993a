// `npm run costs:device`: what device-bound sessions cost an engine. Writes bench/results/device.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { readArguments } from "../../trials/lib/arguments.ts";
import { describeMachine } from "../lib/machine.ts";
import { measureEngine } from "./engine.ts";

readArguments("costs:device", {});
const rows = await measureEngine();
console.log("microseconds of processor time, median and quartiles; bytes that the client sends");
for (const { store, what, bytes, cpu } of rows) {
  const time = `${cpu.median.toFixed(2)} (${cpu.low.toFixed(2)} to ${cpu.high.toFixed(2)})`;
  console.log(
    `${store.padEnd(20)} ${what.padEnd(34)} ${time.padStart(26)} ${String(bytes).padStart(5)}`,
  );
}
const folder = new URL("../results/", import.meta.url);
mkdirSync(folder, { recursive: true });
const result = { machine: describeMachine(new URL("../../", import.meta.url)), rows };
writeFileSync(new URL("device.json", folder), `${JSON.stringify(result, undefined, 1)}\n`);
