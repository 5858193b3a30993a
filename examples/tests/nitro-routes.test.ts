// Nitro 3 behind an overlay: the requests that a page makes to its own server, and the laws.
import { afterAll, beforeAll, describe } from "vitest";
import { type RedisServer, startRedis } from "../../tests/support/servers/redis.ts";
import { environment } from "./lib/app.ts";
import { describeDevice } from "./lib/device.ts";
import { testLaws } from "./lib/laws.ts";
import { prepare, type Project, type Started } from "./lib/project.ts";
import { describeInner, listening, packages } from "./nitro/inner.ts";

let project: Project;
let redis: RedisServer;
beforeAll(async () => {
  project = await prepare({
    example: "nitro",
    name: "nitro-overlay",
    node: "24",
    overlays: ["nitro", "laws", "nitro-laws"],
    // What the conformance kit needs.
    besides: ["tough-cookie@6.1.0"],
    packages,
    what: "production build with the tests' own routes, the laws",
  });
  // Without secrets.
  await project.run(["npm", "run", "build"], { NITRO_PRESET: "node_middleware" });
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.close();
});

describe.each(["redis", "cookies"])("with sessions in %s", (kind) => {
  let started: Started;
  beforeAll(async () => {
    const own = environment(kind === "redis" ? redis : undefined);
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

testLaws(() => project);

describeDevice(() => project, {
  logins: { "a form that is redirected": { path: "/own/enter", form: {}, status: 303 } },
});
