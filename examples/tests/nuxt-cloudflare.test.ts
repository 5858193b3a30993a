// Nuxt 4 behind an overlay, built for Cloudflare: what a page does with a session while workerd renders it.
import { afterAll, beforeAll, describe } from "vitest";
import { environment } from "./lib/app.ts";
import { prepare, type Project, type Started } from "./lib/project.ts";
import { describeTranscripts, listening, packages } from "./nuxt/transcripts.ts";

let project: Project;
beforeAll(async () => {
  project = await prepare({
    example: "nuxt",
    name: "nuxt-cloudflare",
    node: "24",
    overlays: ["nuxt", "nitro-cloudflare"],
    besides: ["miniflare@4.20260426.0"],
    packages,
    what: "cloudflare_module in workerd",
  });
  await project.run(["npm", "run", "build"], { NITRO_PRESET: "cloudflare_module" });
});

describe.each(["Workers KV, a store for each request", "cookies"])(
  "with sessions in %s",
  (kind) => {
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
    describeTranscripts(() => started.url);
  },
);
