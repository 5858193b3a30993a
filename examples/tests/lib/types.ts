// The package's own declarations in an example, which `skipLibCheck` would leave out.
import { expect, test } from "vitest";
import type { Project } from "./project.ts";

/** Declares the test; errors in the framework's own declarations are not ours. */
export function testOwnTypes(project: () => Project): void {
  test("our types are right without skipLibCheck", { timeout: 300_000 }, async () => {
    const output = await project()
      .run(["tsc", "--noEmit", "--skipLibCheck", "false"])
      .then(
        ({ stdout }) => stdout,
        (error: unknown) => String(error),
      );
    expect(output).not.toContain("node_modules/kocha-session/");
    // It looked at the project: these are errors of the command line and of tsconfig.json.
    expect(output).not.toMatch(/error TS(5\d{3}|18003)\b/);
  });
}
