// NestJS 12 and 11, on Express and on Fastify: the example, and what its guard and its events do.
import { beforeAll, describe, expect, test } from "vitest";
import { describeApp } from "./lib/app.ts";
import { Browsing } from "./lib/browsing.ts";
import { describeDevice } from "./lib/device.ts";
import { testLaws } from "./lib/laws.ts";
import { prepare, type Project, type ProjectOptions } from "./lib/project.ts";

type Packages = Readonly<Record<string, string>>;

const versions: Readonly<Record<string, Pick<ProjectOptions, "manifest">>> = {
  "NestJS 12": {},
  "NestJS 11": {
    manifest: (manifest) => ({
      ...manifest,
      dependencies: {
        ...(manifest["dependencies"] as Packages),
        "@nestjs/common": "11.2.10",
        "@nestjs/core": "11.2.10",
        "@nestjs/platform-express": "11.2.10",
        "@nestjs/platform-fastify": "11.2.8",
      },
    }),
  },
};
const platforms = ["Express", "Fastify"] as const;

describe.each(Object.entries(versions))("%s", (version, options) => {
  let project: Project;
  beforeAll(async () => {
    project = await prepare({
      example: "nestjs",
      name: version.toLowerCase().replace(" ", "-"),
      node: "24",
      packages: ["@nestjs/core", "@nestjs/platform-express", "@nestjs/platform-fastify"],
      overlays: ["laws", "nestjs"],
      // What the conformance kit needs.
      besides: ["tough-cookie@6.1.0"],
      what: "on Express and on Fastify, the laws",
      ...options,
    });
    // The build is the compiler's check, too, of libraries as well.
    await project.follow();
  });

  describe.each(platforms)("on %s", (platform) => {
    const stage = describeApp(() => project, {
      line: platforms.indexOf(platform),
      env: (port) => ({ PORT: String(port) }),
    });
    const command = ["node", `dist/laws-${platform.toLowerCase()}.js`];
    testLaws(() => project, command);
    describeDevice(() => project, {
      command,
      logins: { "a form that is redirected": { path: "/form", form: {}, status: 303 } },
    });

    const signedIn = async (): Promise<Browsing> => {
      const someone = new Browsing(stage().servers.redis.url);
      await someone.submit(await someone.open("/"), "Sign in", { name: "ada" });
      return someone;
    };

    test("a guard lets in who is signed in, and anyone else gets a 403", async () => {
      const someone = await signedIn();
      expect(JSON.parse((await someone.open("/account")).body)).toEqual({ user: "ada" });
      const stranger = new Browsing(stage().servers.redis.url);
      expect((await stranger.open("/account")).status).toBe(403);
    });

    test("events begin behind the session's cookie", async () => {
      const someone = await signedIn();
      const page = await someone.open("/events", { headers: { accept: "text/event-stream" } });
      expect(page.headers.get("content-type")).toContain("text/event-stream");
      expect(page.body.match(/data: .+/g)).toEqual(["data: 0 for ada", "data: 1 for ada"]);
      // A first write makes a session.
      const stranger = new Browsing(stage().servers.redis.url);
      expect((await stranger.open("/events")).setCookie).toHaveLength(1);
    });
  });
});
