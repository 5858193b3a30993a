// Law L13's cases are tested themselves: an engine with a fault must fail the case that is there for it.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as core from "kocha-session";
import type * as testing from "kocha-session/testing";
import { type EngineMutant, engineMutants } from "./mutants/engines.ts";

type Bundle = typeof testing & typeof core;

const source = new URL("../../src/", import.meta.url).pathname;
let folder: string;
beforeAll(async () => {
  // Inside the project, so that its packages are found.
  folder = await mkdtemp(join(source, "../node_modules/.engine-mutants-"));
});
afterAll(() => rm(folder, { recursive: true }));

function mutate({ file, edits }: EngineMutant): Plugin {
  return {
    name: "mutate",
    setup(bundling) {
      bundling.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path !== join(source, file)) return undefined;
        let contents = await readFile(path, "utf8");
        for (const [from, to] of edits) {
          if (contents.split(from).length !== 2) throw new Error(`not once in ${file}: ${from}`);
          contents = contents.replace(from, () => to);
        }
        return { contents, loader: "ts" };
      });
    },
  };
}

/** The failures of one case on the memory store, with the engine as it is or as the mutant has it. */
async function failuresOf(id: string, mutant: EngineMutant | undefined): Promise<string[]> {
  const outfile = join(folder, `${mutant === undefined ? -1 : engineMutants.indexOf(mutant)}.mjs`);
  await build({
    stdin: {
      contents: 'export * from "./index.ts"; export * from "./testing/index.ts";',
      resolveDir: source,
    },
    bundle: true,
    format: "esm",
    platform: "node",
    conditions: ["kocha-session-source"],
    external: ["tough-cookie", "fast-check", "@noble/*"],
    logLevel: "silent",
    plugins: mutant === undefined ? [] : [mutate(mutant)],
    outfile,
  });
  const { storeLaws, runCases, SessionMemoryStore } = (await import(
    pathToFileURL(outfile).href
  )) as Bundle;
  const makeStore = () => {
    const store = new SessionMemoryStore();
    return Promise.resolve({ store, close: () => store.close() });
  };
  const cases = (await storeLaws(makeStore)).filter((one) => one.id === id);
  expect(cases).toHaveLength(1);
  const results = await runCases(cases);
  return results.flatMap((result) => (result.error === undefined ? [] : [result.case.id]));
}

test.each([...new Set(engineMutants.map(({ caughtBy }) => caughtBy))])(
  "the engine as it is passes %s",
  async (id) => {
    expect(await failuresOf(id, undefined)).toEqual([]);
  },
);

test.each(engineMutants)("an engine that $fault fails $caughtBy", async (mutant) => {
  expect(await failuresOf(mutant.caughtBy, mutant)).toEqual([mutant.caughtBy]);
});
