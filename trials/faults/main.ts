// `npm run faults`: applications and users at work on every engine while it is killed, cut off,
// slowed down, filled up and failed over. A whole run is written into docs/results/faults.md.
import { option, readArguments } from "../lib/arguments.ts";
import { table, writeRun } from "../lib/report.ts";
import { conclude, fault, progress, verdict } from "../lib/verdict.ts";
import { otherScenarios } from "./others.ts";
import { redisScenarios } from "./redis.ts";
import { head, rowOf } from "./report.ts";
import { play } from "./scenario.ts";

const { only } = readArguments("faults", {
  only: option.text("plays the rows whose text has this in it, and records nothing"),
});
const all = [...redisScenarios, ...otherScenarios];
const wanted = all.filter((scenario) =>
  `${scenario.engine} ${scenario.setting} ${scenario.fault}`.includes(only ?? ""),
);
if (wanted.length === 0) fault(`no row has "${only}" in its text`);
const rows: string[][] = [];
for (const scenario of wanted) {
  const outcome = await play(scenario);
  const row = rowOf(scenario, outcome);
  rows.push(row);
  progress(row.map((cell, index) => (index < 3 ? cell : `${head[index]}: ${cell}`)).join("; "));
  for (const breach of outcome.breaches) fault(breach);
}
conclude(`${rows.length} scenarios`);
if (only === undefined && verdict() === "no fault") {
  writeRun({ document: "faults", command: "faults", verdict: verdict() }, table(head, rows));
}
