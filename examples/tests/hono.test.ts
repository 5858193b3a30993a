// Hono on Bun, on Deno and on Cloudflare's workerd: the example, by its README's commands.
import { beforeAll, describe, expect, test } from "vitest";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";

let project: Project;
beforeAll(async () => {
  project = await prepare({
    example: "hono",
    node: "24",
    on: ["bun", "deno"],
    packages: ["hono", "wrangler", "workerd"],
    what: "on Bun, on Deno, and in workerd by wrangler",
  });
  await project.follow();
});
const env = (port: number): Record<string, string> => ({ PORT: String(port) });

describe("on Bun", () => {
  describeApp(() => project, { line: 0, env });
});
describe("on Deno", () => {
  describeApp(() => project, { line: 1, env });
});
describe("on workerd", () => {
  describeApp(() => project, { line: 2, env, inRedis: false });

  test("the worker's bundle needs nothing of Node.js", async () => {
    const { stdout, stderr } = await project.run([
      "wrangler",
      "deploy",
      "--dry-run",
      "--outdir",
      "out",
    ]);
    expect(`${stdout}${stderr}`).not.toMatch(/warning|#crypto/i);
    const bundle = project.files("out").get(`${project.folder}/out/worker.js`);
    expect(bundle).toContain("kocha-session/v1");
    expect(bundle).not.toMatch(/from\s*"node:|require\("node:/);
  });
});

test("its types fit", async () => {
  await project.run(["npm", "run", "check"]);
});
