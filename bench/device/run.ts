// `npm run costs:device`: what device-bound sessions cost an engine and a browser's user. Writes
// bench/results/device.json; with `--quick` it is a look, and writes nothing.
import { mkdirSync, writeFileSync } from "node:fs";
import { option, readArguments } from "../../trials/lib/arguments.ts";
import { describeMachine } from "../lib/machine.ts";
import type { Spread } from "../lib/stats.ts";
import { type BrowserCosts, measureBrowser } from "./browser.ts";
import { type EngineRow, measureEngine } from "./engine.ts";

const { quick } = readArguments("costs:device", {
  quick: option.flag("few rounds, of which nothing is written"),
});

function show({ median, low, high }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

function printEngine(rows: readonly EngineRow[]): void {
  console.log("microseconds of processor time, median and quartiles; bytes that the client sends");
  for (const { store, what, bytes, cpu } of rows) {
    const cells = [store.padEnd(20), what.padEnd(34), show(cpu, 2).padStart(26), bytes];
    console.log(cells.join(" "));
  }
}

function printBrowser({ browser, login, logout, pages, hours }: BrowserCosts): void {
  console.log(`\n${browser}: ${login} requests more at a login, ${logout} at a logout`);
  console.log("milliseconds to a page's last byte, median and quartiles; requests more");
  for (const { delay, what, ms, requests } of pages) {
    console.log(
      `each answer ${delay} ms late  ${what.padEnd(46)} ${show(ms, 0).padStart(18)}  ${requests}`,
    );
  }
  console.log("an hour: device cookie's life, seconds from page to page, pages, refreshes,");
  console.log("requests more, pages that waited");
  for (const { refreshSeconds, pace, pages: loaded, refreshes, requests, held } of hours) {
    const cells = [refreshSeconds, pace, loaded, refreshes, requests, held];
    console.log(cells.map((cell) => String(cell).padStart(6)).join(" "));
  }
}

const rows = await measureEngine(quick);
printEngine(rows);
const browser = await measureBrowser(quick);
printBrowser(browser);
if (!quick) {
  const folder = new URL("../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const machine = describeMachine(new URL("../../", import.meta.url));
  const result = { machine, rows, browser };
  writeFileSync(new URL("device.json", folder), `${JSON.stringify(result, undefined, 1)}\n`);
}
