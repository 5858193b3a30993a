// Bad input, by name, over both kinds of store: it has the outcome that the documentation tells,
// nothing of the session is lost, and no error shows a key, a credential or a value.
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { readDocument } from "../docs/documents.ts";
import { kinds, makeWorld } from "../unit/engine/client.ts";
import type { Scene } from "./bad-input-steps.ts";
import { badInputs } from "./bad-input.ts";

const SECRET = "a value that nobody may see, 57 characters of it in all.";

/** All that a log could get of an error, its causes included. */
function tellings(error: unknown): string[] {
  if (!(error instanceof Error)) return [inspect(error)];
  return [error.message, String(error.stack), JSON.stringify(error), inspect(error)];
}

describe.each(kinds)("over the %s store", (kind) => {
  const cases = Object.entries(badInputs).filter(([, { of }]) =>
    kind === "memory" ? of !== "the cookie store's" : of !== "a server-side store's",
  );

  test.each(cases)("%s", async (_, { run }) => {
    const world = makeWorld(kind);
    const client = world.newClient();
    await client.request((session) => session.set("kept", SECRET));
    const cookie = client.jar.header ?? "";
    const scene: Scene = { kind, world, cookie, secret: SECRET, thrown: [] };
    await run(scene);
    expect(await client.read()).toEqual({ kept: SECRET });
    const credential = cookie.slice(cookie.indexOf("=") + 1);
    for (const text of scene.thrown.flatMap(tellings)) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain(credential);
    }
  });
});

test("docs/reference/bad-input.md has every name, and no other", () => {
  const rows = readDocument("docs/reference/bad-input.md").matchAll(/^\| ([^|]+) \| [^|]+ \|$/gm);
  const names = Array.from(rows, ([, name = ""]) => name.replaceAll("`", ""));
  expect(names.slice(2)).toEqual(Object.keys(badInputs));
});
