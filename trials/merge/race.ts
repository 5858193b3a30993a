// `npm run merge:race`: racing writes and a tenth as many logouts, through the whole engine and
// tough-cookie's jar; the last result is in docs/results/merge.md.
import { SeededRandom } from "../fuzz/random.ts";
import { option, readArguments } from "../lib/arguments.ts";
import { count, table, writeRun } from "../lib/report.ts";
import { conclude, fault, progress, verdict } from "../lib/verdict.ts";
import { race } from "./jars.ts";

const { writes: total, seed } = readArguments("merge:race", {
  writes: option.number(100_000, "racing writes"),
  seed: option.seed,
});
const dice = new SeededRandom(seed);
const random = (): number => dice.below(1_000_000) / 1_000_000;
const runs = [
  { atOnce: 2, ballast: 100, share: 0.2, logout: false },
  { atOnce: 6, ballast: 100, share: 0.3, logout: false },
  { atOnce: 8, ballast: 300, share: 0.2, logout: false },
  { atOnce: 30, ballast: 100, share: 0.1, logout: false },
  { atOnce: 3, ballast: 1400, share: 0.1, logout: false },
  { atOnce: 6, ballast: 1400, share: 0.1, logout: false },
  { atOnce: 8, ballast: 100, share: 0.8, logout: true },
];
const head = ["at once", "session bytes", "writes", "lost", "logouts", "resurrected"];
const rows: (string | number)[][] = [];
for (const { atOnce, ballast, share, logout } of runs) {
  const result = await race({ writes: total * share, atOnce, ballast, logout, random });
  const { writes, lost, rounds, resurrected, mostCookies, mostBytes, afterTwo } = result;
  const logouts = logout ? [count(rounds), resurrected] : ["-", "-"];
  const most = [mostCookies, count(mostBytes), logout ? "-" : afterTwo];
  rows.push([atOnce, ballast, count(writes), logout ? "-" : lost, ...logouts, ...most]);
  progress(rows.at(-1)?.join(" | ") ?? "");
  if (lost > 0 || resurrected > 0) fault(`${lost} lost, ${resurrected} resurrected`);
}
conclude(`seed ${seed}`);
writeRun(
  { document: "merge", section: "race", command: "merge:race", seed, verdict: verdict() },
  table([...head, "most cookies", "most header bytes", "after two"], rows),
);
