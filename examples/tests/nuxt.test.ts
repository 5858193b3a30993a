// Nuxt 4, on Nitro 2 and h3 1: the example.
import { beforeAll, describe, expect, test } from "vitest";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";

describe("Nuxt 4", () => {
  let project: Project;
  beforeAll(async () => {
    const packages = ["nuxt", "nitropack", "h3"];
    project = await prepare({ example: "nuxt", node: "24", packages });
    await project.run(["npm", "run", "build"]);
  });
  describeApp(() => project, {
    command: () => ["node", ".output/server/index.mjs"],
    env: (port) => ({ PORT: String(port), HOST: "localhost" }),
  });

  test("no file of the client's has the server's code", () => {
    const files = [...project.files(".output", "public")];
    expect(files.length).toBeGreaterThan(5);
    const leaks = files.filter(([, text]) => /ERR_SESSION|kocha-session/.test(text));
    expect(leaks.map(([file]) => file)).toEqual([]);
  });
});
