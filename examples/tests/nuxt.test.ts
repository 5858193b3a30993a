// Nuxt 4, on Nitro 2 and h3 1: the example.
import * as ours from "kocha-session/h3";
import { beforeAll, expect, test } from "vitest";
import { describeApp } from "./lib/app.ts";
import { prepare, type Project } from "./lib/project.ts";
import { listening, packages } from "./nuxt/transcripts.ts";

let project: Project;
beforeAll(async () => {
  project = await prepare({ example: "nuxt", node: "24", packages });
  await project.follow();
});
describeApp(() => project, { env: listening });

test("passes Nuxt's own type check", { timeout: 300_000 }, async () => {
  await project.run(["npm", "run", "check"]);
});

test("no file of the client's has the server's code", () => {
  const files = [...project.files(".output", "public")];
  expect(files.length).toBeGreaterThan(5);
  const leaks = files.filter(([, text]) => /ERR_SESSION|kocha-session/.test(text));
  expect(leaks.map(([file]) => file)).toEqual([]);
});

test("Nuxt imports nothing by itself that has a name of ours", () => {
  const files = [...project.files(".nuxt", "types"), ...project.files(".nuxt")];
  const texts = files.filter(([file]) => file.endsWith("imports.d.ts")).map(([, text]) => text);
  const isImported = (name: string): boolean =>
    texts.some((text) => new RegExp(`\\b${name}\\b`).test(text));
  expect(isImported("useFetch") && isImported("defineEventHandler")).toBe(true);
  expect(Object.keys(ours).filter(isImported)).toEqual([]);
});
