// Frameworks and drivers that are too old are refused by name and version, and never half served.
import { fastify as fastify3 } from "fastify3";
import { createApp, toWebHandler } from "h3v1";
import { SessionMemoryStore } from "kocha-session";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionMiddleware } from "kocha-session/h3";
import { SessionSqliteStore } from "kocha-session/sqlite";
import { afterEach, expect, test } from "vitest";
import { freshKey } from "../support/keys.ts";

const config = { store: new SessionMemoryStore(), signingKey: freshKey() };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

test("Fastify 3 is refused when the plugin is registered", async () => {
  const app = fastify3();
  closing.push(async () => app.close());
  void app.register(sessionPlugin as never, config);
  await expect(async () => app.ready()).rejects.toMatchObject({
    name: "ConfigError",
    field: "fastify",
    message: expect.stringMatching(/version 3\.\d+\.\d+; .* needs Fastify 4/) as string,
  });
});

test("h3 1 by toWebHandler, whose answer can't wait, is refused at a request", async () => {
  let seen: unknown;
  const app = createApp({ onError: ({ cause }) => void (seen = cause) });
  app.use(sessionMiddleware(config));
  expect((await toWebHandler(app)(new Request("http://localhost/"))).status).toBe(500);
  expect(seen).toMatchObject({
    name: "ConfigError",
    field: "h3 1",
    message: expect.stringContaining("toNodeListener") as string,
  });
});

test("libsql 0.3 is refused when the store is made", () => {
  // As npm run test:peers has it from the real one, whose binary is too large for every npm ci.
  const client = {
    exec() {
      throw new Error("Execute returned rows");
    },
    prepare: () => ({ all: () => [{ file: "", timeout: 1 }], run: () => ({ changes: 0 }) }),
  };
  expect(() => new SessionSqliteStore({ client })).toThrow(/libsql 0\.3 or older.* 0\.4 or later/);
});
