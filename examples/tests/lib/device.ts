// Device-bound sessions on a production build, by scenes that run in the build's own process.
import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { repository } from "../../../tests/support/cli.ts";
import { builtScenes, type Login, storeNames } from "../device/scenes.ts";
import { lawsCommand } from "./laws.ts";
import type { Project } from "./project.ts";

const own = join(repository, "examples", "tests", "device");

/** The tests of a build's device-bound sessions. */
export interface DeviceOptions {
  /** Logins in the framework's own way, by what they are. */
  readonly logins?: Readonly<Record<string, Login>>;
  /** What serves the build to the conformance kit; see overlays/laws. Default `node laws.js`. */
  readonly command?: readonly string[];
}

/** Declares them for a project that serves its build to the conformance kit. */
export function describeDevice(
  project: () => Project,
  { logins = {}, command = lawsCommand }: DeviceOptions = {},
): void {
  describe("device-bound sessions on the build", () => {
    let outcomes: Readonly<Record<string, string>>;
    beforeAll(async () => {
      const file = join(project().folder, "device.mjs");
      await bundle(file);
      const { stdout } = await project().run([...command, "device", file, JSON.stringify(logins)]);
      outcomes = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as typeof outcomes;
    }, 300_000);
    const names = [...Object.keys(builtScenes), ...Object.keys(logins)];
    describe.each(storeNames)("%s", (store) => {
      test.each(names)("%s", (name) => {
        expect(outcomes[`${store}: ${name}`]).toBe("");
      });
    });
  });
}

/** The scenes as one module, for the package as the project has it. */
async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(own, "run.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["kocha-session", "kocha-session/*"],
    alias: { vitest: join(own, "expect.ts") },
  });
}
