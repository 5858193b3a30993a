// Nuxt 4 behind an overlay: what a page does with a session while it is rendered, and the laws.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../tests/support/servers/redis.ts";
import { freePort } from "../../tests/support/servers/process.ts";
import { until } from "../../tests/support/until.ts";
import { environment } from "./lib/app.ts";
import { Browsing, textOf } from "./lib/browsing.ts";
import { describeDevice } from "./lib/device.ts";
import { testLaws } from "./lib/laws.ts";
import { prepare, type Project, type Started } from "./lib/project.ts";
import { describeTranscripts, held, listening, packages, signedIn } from "./nuxt/transcripts.ts";

let project: Project;
let redis: RedisServer;
/** What the build printed. */
let said: string;
beforeAll(async () => {
  project = await prepare({
    example: "nuxt",
    name: "nuxt-overlay",
    node: "24",
    overlays: ["nuxt", "laws", "nuxt-laws"],
    // What the conformance kit needs.
    besides: ["tough-cookie@6.1.0"],
    packages,
    what: "production build with the tests' own pages, the laws",
  });
  // Without secrets.
  const { stdout, stderr } = await project.run(["npm", "run", "build"], {
    NITRO_PRESET: "node_listener",
  });
  said = `${stdout}${stderr}`;
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.close();
});
const start = (env: Readonly<Record<string, string>>): Promise<Started> =>
  project.start({
    command: () => ["node", "serve.js"],
    env: (port) => ({ ...env, ...listening(port) }),
  });

describe.each(["redis", "cookies"])("with sessions in %s", (kind) => {
  let started: Started;
  beforeAll(async () => {
    started = await start(environment(kind === "redis" ? redis : undefined));
  });
  afterAll(async () => {
    await started?.close();
  });
  describeTranscripts(() => started.url);

  test("a request that a page doesn't wait for gets our error for its late write", async () => {
    const someone = await signedIn(new Browsing(started.url));
    expect(textOf(await someone.open("/t/unawaited"), "#sent")).toBe("sent");
    const tell = async (): Promise<string> =>
      (await someone.open("/api/t/late?tell", { method: "POST" })).body;
    await until("the late write", async () => (await tell()) !== "");
    expect(await tell()).toBe("ERR_SESSION_USAGE_HEADERS_SENT");
    expect(await held(someone)).not.toHaveProperty("late");
  });
});

test("a store that is down is a 503, for a page and for a route, and sets no cookie", async () => {
  const nowhere = await freePort();
  const started = await start({
    ...environment(),
    REDIS_URL: `redis://127.0.0.1:${nowhere}`,
  });
  try {
    const someone = new Browsing(started.url);
    // Nothing is asked of it for a client without a session.
    expect((await someone.request("/")).status).toBe(200);
    for (const path of ["/t/inner", "/t/nested", "/late?ms=0"]) {
      const response = await someone.request(path);
      expect([path, response.status]).toEqual([path, 503]);
      expect(response.headers.getSetCookie()).toEqual([]);
    }
  } finally {
    await started.close();
  }
});

test("the build has nothing to say about our modules", () => {
  expect(said).toContain("Build complete");
  expect(said).not.toMatch(/#crypto|node:crypto|kocha-session/);
});

testLaws(() => project);

describeDevice(() => project, {
  logins: { "a form that is redirected": { path: "/own/enter", form: {}, status: 303 } },
});
