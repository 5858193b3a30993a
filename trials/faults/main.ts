// `npm run faults`: applications and users at work on every engine while it is killed, cut off,
// slowed down, filled up and failed over. A whole run is written into docs/results/faults.md.
import { parseArgs } from "node:util";
import { otherScenarios } from "./others.ts";
import { redisScenarios } from "./redis.ts";
import { describeSeen, recordResults, type Row } from "./report.ts";
import { play } from "./scenario.ts";

const { values } = parseArgs({
  options: {
    /** Plays the rows whose text has this in it, and records nothing. */
    only: { type: "string" },
  },
});
const all = [...redisScenarios, ...otherScenarios];
const wanted = all.filter(({ engine, setting, fault }) =>
  `${engine} ${setting} ${fault}`.includes(values.only ?? ""),
);
const rows: Row[] = [];
let failures = 0;
for (const scenario of wanted) {
  const { engine, setting, fault } = scenario;
  console.log(`\n${engine}; ${setting}; ${fault}`);
  const outcome = await play(scenario);
  const { audit, breaches } = outcome;
  rows.push({ scenario, outcome });
  console.log(
    `  lost ${audit.lostWrites} of ${audit.acknowledgedWrites} writes and ${audit.lostSessions} of ` +
      `${audit.sessions} sessions; ${audit.resurrected} of ${audit.acknowledgedLogouts} logouts and ` +
      `${audit.oldCredentials} of ${audit.acknowledgedRotations} regenerates undone; ` +
      `again after ${outcome.downMs} ms; seen: ${describeSeen(outcome.seen)}`,
  );
  for (const breach of breaches) console.log(`  BREACH: ${breach}`);
  failures += breaches.length;
}
console.log(`\n${rows.length} scenarios, ${failures} breaches`);
if (failures > 0) process.exitCode = 1;
else if (values.only === undefined) recordResults(rows);
