// The list of exports: it is what the sources export, and each export is documented.
import { describe, expect, test } from "vitest";
import { listEntryPoints, listExports, writeApi } from "../../scripts/api-list.ts";
import { repository } from "../support/cli.ts";
import { readDocument } from "./documents.ts";

describe.each(listEntryPoints(repository))("%s", (_name, source) => {
  test("has a docstring at each export", () => {
    const exported = listExports(source);
    expect(exported.length).toBeGreaterThan(0);
    expect(exported.filter(({ summary }) => !/^\S.*\.$/.test(summary))).toEqual([]);
  });
});

test("docs/reference/api.md is what npm run api writes", () => {
  expect(readDocument("docs/reference/api.md")).toBe(writeApi(repository));
});
