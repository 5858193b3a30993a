// What several test files need and none changes, made once for a run of Vitest: the first file that asks
// makes it, the others wait. As Vitest's global setup, this file makes the run's folder and removes it.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./until.ts";

/** The environment's variable with the run's folder, for the processes of the test files. */
const VARIABLE = "KOCHA_SESSION_RUN";
/** A build or a packed package on a busy machine, in milliseconds. */
const MADE_WITHIN = 300_000;

/** For Vitest, before the run: makes the folder. */
export async function setup(): Promise<void> {
  const parent = join(import.meta.dirname, "..", "..", ".tmp");
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "run-"));
  process.env[VARIABLE] = folder;
}

/** For Vitest, after the run: removes the folder. */
export async function teardown(): Promise<void> {
  await rm(process.env[VARIABLE] ?? "", { recursive: true, force: true });
}

/**
 * Makes something in a folder of its own, unless another file of this run has.
 * @param make - gives what to know of it, as JSON.
 * @returns what `make` gave, to each file that asks.
 */
export async function onceARun<Made>(
  name: string,
  make: (folder: string) => Promise<Made>,
): Promise<Made> {
  const run = process.env[VARIABLE];
  if (run === undefined) throw new Error("only Vitest's test files can share something");
  const folder = join(run, name);
  const result = join(run, `${name}.json`);
  const isFirst = await mkdir(folder).then(
    () => true,
    () => false,
  );
  if (isFirst) {
    const outcome = await make(folder).then(
      (made) => ({ made }),
      (error: unknown) => ({ failure: String(error) }),
    );
    await writeFile(`${result}.new`, JSON.stringify(outcome));
    await rename(`${result}.new`, result);
  } else {
    await until(`${name} is made by another test file`, () => existsSync(result), MADE_WITHIN);
  }
  const { made, failure } = JSON.parse(await readFile(result, "utf8")) as {
    readonly made: Made;
    readonly failure?: string;
  };
  if (failure !== undefined) throw new Error(failure);
  return made;
}
