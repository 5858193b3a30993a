// `npm run race:express-session`: two processes of express-session and two of its drop-in race on the same
// stores. What the original loses and brings back stands beside ours in docs/results/express-session.md.
import { readArguments } from "../lib/arguments.ts";
import { table, writeRun } from "../lib/report.ts";
import { conclude, fault, progress, verdict } from "../lib/verdict.ts";
import { type Library, openCourse, storesOf } from "./express-session/course.ts";
import { logoutsUndone, type Score, writesKept } from "./express-session/rounds.ts";

const SESSIONS = 10;
const WRITERS = 20;

readArguments("race:express-session", {});
const course = await openCourse();
const rows: string[][] = [];
try {
  for (const library of ["express-session", "kocha-session"] satisfies Library[]) {
    const application = (await course.start([library, library]))(0, 1);
    for (const store of storesOf(library)) {
      const kept = await writesKept(application, store, SESSIONS, WRITERS);
      const undone = await logoutsUndone(application, store, SESSIONS);
      judge(library, store, kept, undone);
      rows.push([library, store, shown(kept), shown(undone)]);
      progress(rows.at(-1)?.join(", ") ?? "");
    }
  }
} finally {
  await course.close();
}
const head = ["library", "store", "keys kept", "logouts undone"];
const run = { document: "express-session", command: "race:express-session", verdict: verdict() };
writeRun(run, table(head, rows));
conclude("races of express-session and its drop-in");

/** Ours must lose nothing; if the original doesn't either, nothing has raced. */
function judge(library: Library, store: string, kept: Score, undone: Score): void {
  const isClean = kept.found === kept.of && undone.found === 0;
  if (library === "kocha-session" && !isClean) fault(`${store} lost a write or a logout`);
  if (library === "express-session" && isClean) fault(`${store}: nothing raced`);
}

function shown({ found, of }: Score): string {
  return `${found} of ${of}`;
}
