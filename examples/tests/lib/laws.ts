// The conformance kit on a production build.
import { expect, test } from "vitest";
import type { Project } from "./project.ts";

/** What serves a build to the kit; see overlays/laws. */
export const lawsCommand: readonly string[] = ["node", "laws.js"];

/** Declares the test for a project that serves its build to the kit. */
export function testLaws(project: () => Project, command = lawsCommand): void {
  test("the laws hold on the build", { timeout: 300_000 }, async () => {
    const { stdout } = await project().run(command);
    const report = JSON.parse(stdout.slice(stdout.lastIndexOf("\n", stdout.length - 2) + 1)) as {
      readonly ran: number;
      readonly failures: readonly string[];
    };
    expect(report.failures).toEqual([]);
    expect(report.ran).toBeGreaterThan(100);
  });
}
