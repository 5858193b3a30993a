// The README's table of costs says what the committed results say.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { costs, withCosts } from "../../bench/report/costs.ts";
import type { HttpResult } from "../../bench/http/run.ts";
import { repository } from "../support/cli.ts";
import { readDocument } from "./documents.ts";

const file = join(repository, "bench", "results", "http.json");
const result = JSON.parse(readFileSync(file, "utf8")) as HttpResult;

test("the README's table of costs is made of the last results", () => {
  const readme = readDocument("README.md");
  expect(readme).toBe(withCosts(readme, result));
});

test("and so is that of the page of measurements", () => {
  expect(readDocument("docs/performance.md")).toContain(costs(result));
});
