// The conformance kit on a production build.
import { expect, test } from "vitest";
import type { Project } from "./project.ts";

/** Declares the test for a project whose laws.js serves the build to the kit; see overlays/laws. */
export function testLaws(project: () => Project): void {
  test("the laws hold on the build", { timeout: 300_000 }, async () => {
    const { stdout } = await project().run(["node", "laws.js"]);
    const report = JSON.parse(stdout.slice(stdout.lastIndexOf("\n", stdout.length - 2) + 1)) as {
      readonly ran: number;
      readonly failures: readonly string[];
    };
    expect(report.failures).toEqual([]);
    expect(report.ran).toBeGreaterThan(100);
  });
}
