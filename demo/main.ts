// `npm run demo`: the demo from its sources, as `kocha-session demo` runs it from the package.
import { parseArgs } from "node:util";
import { serveDemo } from "./serve.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "cookie" },
    port: { type: "string", default: process.env["PORT"] ?? "3000" },
  },
});
try {
  const demo = await serveDemo(values.store, Number(values.port));
  console.log(`the demo is running: ${demo.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void demo.close());
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
