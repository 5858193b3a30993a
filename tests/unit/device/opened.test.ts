// A binding and an engine of two copies of the library, as a bundle and a development server can make them.
import { expect, it, vi } from "vitest";
import { openAsFound } from "../../../src/device/opened.ts";
import { freshKey } from "../../support/keys.ts";

it("an engine of another copy of the library is an error that says so", async () => {
  vi.resetModules();
  const other = await import("kocha-session");
  const engine = new other.SessionMiddleware({
    store: new other.SessionMemoryStore(),
    signingKey: freshKey(),
  });
  const request = { method: "POST", header: () => undefined };
  await expect(openAsFound(engine, request, undefined, undefined)).rejects.toMatchObject({
    code: "ERR_SESSION_CONFIG_FIELD",
    field: "deviceBinding",
    message: expect.stringContaining("another copy of kocha-session than the engine") as string,
  });
});
