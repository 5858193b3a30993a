// Next.js 16 with `cacheComponents`: a prerendered shell, into which what reads the session streams.
import { beforeAll, expect, test } from "vitest";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";

let project: Project;
let output: string;
beforeAll(async () => {
  project = await prepare({
    example: "next",
    overlays: ["next-cache-components"],
    packages: ["next", "react"],
    what: "production build with cacheComponents",
  });
  const { stdout, stderr } = await project.run(["next", "build"]);
  output = stdout + stderr;
});

describeApp(() => project, { command: (port) => ["next", "start", "-p", String(port)] });

test("the shell is prerendered, without secrets and without a session", () => {
  expect(output).toMatch(/◐ \//);
  const shell = project
    .files(".next", "server", "app")
    .get(`${project.folder}/.next/server/app/index.html`);
  expect(shell).toContain("A shop");
  expect(shell).not.toContain("Sign in");
});
