import { defineConfig } from "vitest/config";
import { defaultServerConditions } from "vite";

// The tests run on the sources; what they install and import from npm resolves as in any program.
const ours = "kocha-session-source";

export default defineConfig({
  resolve: { conditions: [ours, ...defaultServerConditions] },
  ssr: {
    resolve: { conditions: [ours, ...defaultServerConditions], externalConditions: [ours] },
  },
  test: {
    include: ["tests/**/*.test.ts"],
    typecheck: {
      enabled: true,
      include: ["tests/types/*.test-d.ts"],
      tsconfig: "tests/types/tsconfig.json",
    },
    sequence: { shuffle: true },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    coverage: { include: ["src/**"], reporter: ["text-summary", "json-summary"] },
  },
});
