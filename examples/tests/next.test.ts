// Next.js 16: the example, as its users build it.
import { beforeAll, expect, test } from "vitest";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";
import { testOwnTypes } from "./lib/types.ts";

let project: Project;
beforeAll(async () => {
  project = await prepare({ example: "next", packages: ["next", "react"] });
  await project.follow();
});

describeApp(() => project, {
  env: (port) => ({ PORT: String(port) }),
});

test("its types fit", { timeout: 300_000 }, async () => {
  await project.run(["npm", "run", "check"]);
});

testOwnTypes(() => project);

test("no file for browsers holds code of ours", () => {
  for (const [file, text] of project.files(".next", "static"))
    expect([file, /ERR_SESSION_|kocha-session\/v1/.exec(text)?.[0]]).toEqual([file, undefined]);
});
