// Server processes that start together on a new file: each turns on WAL and makes the table, and
// none of them may find it locked.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const PROCESSES = 6;
/** How long the word to begin takes to reach all of them, in milliseconds. */
const NOTICE = 100;

test(`${PROCESSES} processes that open a new file at once all get it`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "kocha-session-sqlite-open-"));
  const opener = fileURLToPath(new URL("sqlite-opener.ts", import.meta.url));
  const execArgv = ["--conditions=kocha-session-source", "--import", "tsx"];
  const openers = Array.from({ length: PROCESSES }, () =>
    fork(opener, [join(folder, "new.db")], { execArgv, stdio: "ignore" }),
  );
  await Promise.all(openers.map((child) => once(child, "message")));
  const exits = openers.map((child) => once(child, "exit") as Promise<[number]>);
  const at = Date.now() + NOTICE;
  for (const child of openers) child.send(at);
  const codes = (await Promise.all(exits)).map(([code]) => code);
  rmSync(folder, { recursive: true, force: true });
  expect(codes).toEqual(openers.map(() => 0));
});
