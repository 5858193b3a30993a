// A build of the example with the transcripts' pages and routes, and everything that is asked of it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostLaws } from "kocha-session/testing";
import { freshKey } from "../../../tests/support/keys.ts";
import { Browsing, textOf } from "../lib/browsing.ts";
import { prepare, type Project, type Started } from "../lib/project.ts";
import { describeDevice } from "./device.ts";
import { lawServer } from "./laws.ts";
import { type Lab, makeLab, serve, type Served } from "./server.ts";
import { describeTranscripts } from "./transcripts.ts";

/** How it is built. */
export interface BuildOptions {
  readonly what: string;
  readonly build: readonly string[];
}

/** Builds, serves from this process, and declares the tests. */
export function describeBuild({ what, build }: BuildOptions): void {
  let project: Project;
  let output: string;
  let lab: Lab;
  let url: string;
  let served: Served | undefined;
  beforeAll(async () => {
    project = await prepare({
      example: "next",
      overlays: ["next"],
      packages: ["next", "react"],
      what,
    });
    const { stdout, stderr } = await project.run(build);
    output = stdout + stderr;
    lab = makeLab();
    served = await serve(project, lab);
    ({ url } = served);
  });
  afterAll(() => served?.close());

  describeTranscripts(() => ({ url, lab }));

  test("it was built without secrets, with prerendered pages", () => {
    expect(output).toContain("/t/sealed/static");
    const files = [...project.files(".next", "server", "app", "t").keys()];
    expect(files.some((file) => file.endsWith("/sealed/static.html"))).toBe(true);
  });

  test("the compiler has nothing to say of us", () => {
    expect(output).not.toMatch(/kocha-session|node:crypto|#crypto/);
  });

  test("no file for browsers holds code of ours", () => {
    const files = project.files(".next", "static");
    expect(files.size).toBeGreaterThan(3);
    for (const [file, text] of files)
      expect([file, /ERR_SESSION_|kocha-session\/v1/.exec(text)?.[0]]).toEqual([file, undefined]);
  });

  test("a memory store is one for all copies of the module", async () => {
    const someone = new Browsing(url);
    const page = await someone.open("/t/memory/login?proxy=write");
    await someone.submit(page, "in");
    const read = await someone.open("/t/memory/login");
    expect(textOf(read, "#user")).toBe("ada");
    const dumped = JSON.parse((await someone.open("/t/memory/do/dump")).body) as object;
    expect(dumped).toEqual({ p: "proxied login", user: "ada" });
  });

  describe("in the edge runtime", () => {
    let started: Started;
    beforeAll(async () => {
      const env = { SESSION_SECRET_KEY: freshKey(), SESSION_SIGNING_KEY: freshKey() };
      const command = (port: number): [string, ...string[]] => [
        "next",
        "start",
        "-p",
        String(port),
      ];
      started = await project.start({ command, env: () => env });
    });
    afterAll(() => started?.close());

    test("a route handler keeps its session", async () => {
      const someone = new Browsing(started.url);
      for (const count of ["1", "2", "3"]) expect((await someone.open("/edge")).body).toBe(count);
    });
  });

  describeDevice(() => ({ lab, listener: (served as Served).listener }));

  describe("the laws of hosts", () => {
    const cases = hostLaws(() => Promise.reject(new Error("only for the cases' names")));
    const ids = cases
      .filter(({ applies }) => applies === true)
      .map(({ id }) => id)
      // Next sets a Vary of its own on every answer; the transcripts look at ours in it.
      .filter(
        (id) =>
          id !== "L11 caches: Vary with every look, no-store with every cookie, neither without",
      );
    test.each(ids)("%s", (id) => lawServer(() => ({ url, lab })).run(id));
  });
}
