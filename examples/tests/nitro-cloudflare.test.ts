// Nitro 3 behind an overlay, built for Cloudflare: the requests that a page makes to its own server, in workerd.
import { afterAll, beforeAll, describe } from "vitest";
import { environment } from "./lib/app.ts";
import { prepare, type Project, type Started } from "./lib/project.ts";
import { describeInner, listening, packages } from "./nitro/inner.ts";

let project: Project;
beforeAll(async () => {
  project = await prepare({
    example: "nitro",
    name: "nitro-cloudflare",
    node: "24",
    overlays: ["nitro", "nitro-cloudflare"],
    besides: ["miniflare@4.20260426.0", "@rollup/plugin-terser@0.4.4"],
    packages,
    what: "cloudflare_module in workerd",
  });
  await project.run(["npm", "run", "build"], { NITRO_PRESET: "cloudflare_module" });
});

describe.each(["Workers KV, a store for each request", "cookies"])("sessions in %s", (kind) => {
  let started: Started;
  beforeAll(async () => {
    const own = { ...environment(), ...(kind !== "cookies" && { WITH_KV: "1" }) };
    started = await project.start({
      command: () => ["node", "serve.js"],
      env: (port) => ({ ...own, ...listening(port) }),
    });
  });
  afterAll(async () => {
    await started?.close();
  });
  describeInner(() => started.url);
});
