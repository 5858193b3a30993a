// AdonisJS 7: the example.
import { beforeAll } from "vitest";
import { describeApp } from "./lib/app.ts";
import { describeDevice } from "./lib/device.ts";
import { testLaws } from "./lib/laws.ts";
import { prepare, type Project } from "./lib/project.ts";

let project: Project;
beforeAll(async () => {
  project = await prepare({
    example: "adonisjs",
    node: "24",
    overlays: ["laws", "adonisjs"],
    // What the conformance kit needs.
    besides: ["tough-cookie@6.1.0"],
    packages: ["@adonisjs/core"],
    what: "production build, the laws",
  });
  // The build is the compiler's check, too.
  await project.follow();
});
describeApp(() => project, { env: (port) => ({ PORT: String(port), HOST: "localhost" }) });

const command = ["node", "build/bin/laws.js"];
testLaws(() => project, command);
describeDevice(() => project, {
  command,
  logins: { "a form that is redirected": { path: "/own/form", form: {}, status: 303 } },
});
