// `npm run merge:race`: RACE_WRITES racing writes (100,000) and a tenth as many logouts, through the
// whole engine and tough-cookie's jar; the last result is in docs/results/merge.md.
import { SeededRandom } from "../fuzz/random.ts";
import { race } from "./jars.ts";
import { count, table, writeSection } from "./report.ts";

const WRITES = Number(process.env["RACE_WRITES"] ?? 100_000);
const SEED = Number(process.env["RACE_SEED"] ?? Date.now() % 0x7fff_ffff);
const dice = new SeededRandom(SEED);
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
const rows: (string | number)[][] = [[...head, "most cookies", "most header bytes", "after two"]];
for (const { atOnce, ballast, share, logout } of runs) {
  const result = await race({ writes: WRITES * share, atOnce, ballast, logout, random });
  const { writes, lost, rounds, resurrected, mostCookies, mostBytes, afterTwo } = result;
  const logouts = logout ? [count(rounds), resurrected] : ["-", "-"];
  const most = [mostCookies, count(mostBytes), logout ? "-" : afterTwo];
  rows.push([atOnce, ballast, count(writes), logout ? "-" : lost, ...logouts, ...most]);
  console.log(rows.at(-1)?.join(" | "));
  if (lost > 0 || resurrected > 0) throw new Error(`seed ${SEED}: something was lost`);
}
writeSection("race", `Seed ${SEED}.\n\n${table(rows)}`);
