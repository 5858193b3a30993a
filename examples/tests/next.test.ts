// Next.js 16: the example, as its users build it.
import { beforeAll, expect, test } from "vitest";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";

let project: Project;
beforeAll(async () => {
  project = await prepare({ example: "next", packages: ["next", "react"] });
  await project.run(["npm", "run", "build"]);
});

describeApp(() => project, { command: (port) => ["next", "start", "-p", String(port)] });

test("its types fit, and ours are right without skipLibCheck", async () => {
  await project.run(["npm", "run", "check"]);
  const all = project.run(["tsc", "--skipLibCheck", "false"]).then(
    ({ stdout }) => stdout,
    (error: unknown) => String(error),
  );
  expect(await all).not.toContain("kocha-session");
});

test("no file for browsers holds code of ours", () => {
  for (const [file, text] of project.files(".next", "static"))
    expect([file, /ERR_SESSION_|kocha-session\/v1/.exec(text)?.[0]]).toEqual([file, undefined]);
});
