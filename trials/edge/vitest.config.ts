// The tests of `npm run test:edge`. They run on platforms that are too large for `npm test`.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { defaultServerConditions } from "vite";

const ours = "kocha-session-source";
const conditions = [ours, ...defaultServerConditions.filter((name) => name !== "module")];

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: [ours] } },
  test: {
    include: ["trials/edge/*.test.ts"],
    globalSetup: ["tests/support/once-a-run.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
