// The examples' tests: `npm run examples`. They install frameworks and build for production, so they
// are no part of `npm test`.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { defaultServerConditions } from "vite";

const ours = "kocha-session-source";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  resolve: { conditions: [ours, ...defaultServerConditions] },
  ssr: {
    resolve: { conditions: [ours, ...defaultServerConditions], externalConditions: [ours] },
  },
  test: {
    include: ["examples/tests/*.test.ts"],
    // A build takes all cores.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 600_000,
  },
});
