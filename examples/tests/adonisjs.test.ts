// AdonisJS 7: the example.
import { beforeAll } from "vitest";
import { freshKey } from "../../tests/support/keys.ts";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";

let project: Project;
beforeAll(async () => {
  const packages = ["@adonisjs/core"];
  project = await prepare({ example: "adonisjs", node: "24", packages });
  // Without secrets; it is the compiler's check, too.
  await project.run(["npm", "run", "build"]);
});
describeApp(() => project, {
  command: () => ["node", "build/bin/server.js"],
  env: (port) => ({ PORT: String(port), HOST: "localhost", APP_KEY: freshKey() }),
});
