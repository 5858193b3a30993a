// The build of the preset cloudflare_module, in workerd.
import { Miniflare } from "miniflare";

const { PORT, SESSION_SECRET_KEY, SESSION_SIGNING_KEY, WITH_KV } = process.env;

const worker = new Miniflare({
  host: "localhost",
  port: Number(PORT),
  rootPath: ".output/server",
  scriptPath: "index.mjs",
  modules: true,
  modulesRules: [{ type: "ESModule", include: ["**/*.js", "**/*.mjs"] }],
  compatibilityDate: "2026-04-01",
  compatibilityFlags: ["nodejs_compat"],
  bindings: { SESSION_SECRET_KEY, SESSION_SIGNING_KEY },
  kvNamespaces: WITH_KV === undefined ? [] : ["SESSIONS"],
});
await worker.ready;
