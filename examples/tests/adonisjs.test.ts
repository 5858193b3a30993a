// AdonisJS 7: the example.
import { beforeAll } from "vitest";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";

let project: Project;
beforeAll(async () => {
  const packages = ["@adonisjs/core"];
  project = await prepare({ example: "adonisjs", node: "24", packages });
  // The build is the compiler's check, too.
  await project.follow();
});
describeApp(() => project, { env: (port) => ({ PORT: String(port), HOST: "localhost" }) });
