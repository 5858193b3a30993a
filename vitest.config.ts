import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { defaultServerConditions } from "vite";

// The tests run on the sources; what they install and import from npm resolves as in any program.
const ours = "kocha-session-source";
/** Those of Node.js: "module" is for bundlers, and names files that Node.js can't load. */
const conditions = [ours, ...defaultServerConditions.filter((name) => name !== "module")];

/** Folders of tests that start browsers, programs and servers, or run every law: the longest. */
const longest = ["browser", "package", "newcomer", "cli", "docs", "stores", "laws"];

/** Begins with the longest files, so that no core is idle while another ends one. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((folder) => moduleId.includes(`/tests/${folder}/`));
      return index === -1 ? longest.length : index;
    };
    // Within a folder by the durations of the last run, where there was one.
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's own method, which copies
    const known = await super.sort(files);
    return known.toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig(({ mode }) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: [ours] } },
  test: {
    include: ["tests/**/*.test.ts"],
    // It installs for minutes: npm run test:newcomer.
    exclude: [
      ...configDefaults.exclude,
      ...(mode === "newcomer" ? [] : ["tests/newcomer/ways.test.ts"]),
    ],
    globalSetup: ["tests/support/once-a-run.ts"],
    typecheck: {
      enabled: true,
      include: ["tests/types/*.test-d.ts"],
      tsconfig: "tests/types/tsconfig.json",
    },
    // Vitest's own default leaves one core to itself: of two, half.
    maxWorkers: "100%",
    // The tests within a file are shuffled; each file is a process of its own.
    sequence: { shuffle: true, sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { include: ["src/**"], reporter: ["text-summary", "json-summary"] },
  },
}));
