// Nitro 3, on a release candidate of h3 2: the example.
import { beforeAll, test } from "vitest";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";

let project: Project;
beforeAll(async () => {
  project = await prepare({ example: "nitro", node: "24", packages: ["nitro", "h3"] });
  await project.follow();
});
describeApp(() => project, {
  env: (port) => ({ PORT: String(port), HOST: "localhost" }),
});

test("passes the compiler's check", { timeout: 300_000 }, async () => {
  await project.run(["npm", "run", "check"]);
});
