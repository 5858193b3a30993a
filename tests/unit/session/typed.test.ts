// Typed keys with two schema libraries and by hand: JSON in the string map, checked both ways.
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { sessionKey, type StandardSchema } from "../../../src/session/typed.ts";
import { thrownBy } from "../../support/thrown.ts";
import { makeWorld } from "../engine/client.ts";

const zodCart = sessionKey("cart", z.object({ items: z.array(z.string()), total: z.number() }));
const valibotCart = sessionKey("cart", v.object({ items: v.array(v.string()), total: v.number() }));
const { engine } = makeWorld("cookie");
const open = async () => engine.open(undefined);
const cart = { items: ["tea", "🫖"], total: 12.5 };

describe.each([
  ["zod", zodCart],
  ["valibot", valibotCart],
])("%s", (_, key) => {
  test("what was written is read, as JSON in the string map", async () => {
    const session = await open();
    expect(session.read(key)).toBeUndefined();
    session.write(key, cart);
    expect(session.read(key)).toEqual(cart);
    expect(session.get("cart")).toBe(JSON.stringify(cart));
  });

  test.each(["", "{", "null", '{"items":[]}', '{"items":"tea","total":1}', "[]"])(
    "%j in the map reads as undefined",
    async (text) => {
      const session = await open();
      session.set("cart", text);
      expect(session.read(key)).toBeUndefined();
    },
  );

  test("a value that doesn't fit is refused with its path, never with the value", async () => {
    const session = await open();
    const wrong = { items: ["tea"], total: "marker" } as unknown as typeof cart;
    const error = thrownBy(() => session.write(key, wrong)) as Error;
    expect(error).toMatchObject({ name: "UsageError", code: "ERR_SESSION_USAGE_SCHEMA" });
    expect(error.message).toContain("total");
    expect(error.message).not.toContain("marker");
    expect(session.has("cart")).toBe(false);
  });
});

/** A schema by hand, whose answers the test gives. */
function schemaOf<Value>(
  validate: StandardSchema<Value>["~standard"]["validate"],
): StandardSchema<Value> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

test("transformations run when it is read, and what was given is stored", async () => {
  const key = sessionKey(
    "when",
    z.string().transform((text) => new Date(text)),
  );
  const session = await open();
  session.write(key, "2026-01-01T00:00:00.000Z");
  expect(session.get("when")).toBe('"2026-01-01T00:00:00.000Z"');
  expect(session.read(key)).toEqual(new Date("2026-01-01T00:00:00.000Z"));
});

test("an asynchronous schema is a UsageError, and its rejection is nobody's", async () => {
  const session = await open();
  const asynchronous = { code: "ERR_SESSION_USAGE_ASYNC_SCHEMA" };
  const late = sessionKey(
    "late",
    schemaOf<string>(async () => ({ value: "x" })),
  );
  const failing = sessionKey(
    "failing",
    schemaOf<string>(() => Promise.reject(new Error("later"))),
  );
  for (const key of [late, failing]) {
    expect(thrownBy(() => session.write(key, "x"))).toMatchObject(asynchronous);
    session.set(key.name, '"x"');
    expect(thrownBy(() => session.read(key))).toMatchObject(asynchronous);
  }
});

test("a key needs a schema", () => {
  for (const schema of [undefined, null, {}, { "~standard": {} }, "string"]) {
    expect(thrownBy(() => sessionKey("a", schema as unknown as StandardSchema))).toMatchObject({
      code: "ERR_SESSION_USAGE_SCHEMA",
    });
  }
});

test("what JSON can't carry is refused", async () => {
  const session = await open();
  const key = sessionKey(
    "any",
    schemaOf<unknown>((value) => ({ value })),
  );
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const refused = [circular, 1n, undefined, () => 1, Symbol("s")];
  for (const value of refused) {
    expect(thrownBy(() => session.write(key, value))).toMatchObject({
      code: "ERR_SESSION_USAGE_SCHEMA",
    });
  }
});

test("paths are named however the schema writes them, each once", async () => {
  const session = await open();
  const issues = [
    { path: ["a", 0, { key: "b" }] },
    { path: ["a", 0, "b"] },
    { path: [{ key: Symbol("mark") }] },
    {},
  ];
  const key = sessionKey(
    "x",
    schemaOf<string>(() => ({ issues })),
  );
  const { message } = thrownBy(() => session.write(key, "y")) as Error;
  expect(message).toMatch(/^the value does not fit its schema at a\.0\.b, Symbol\(mark\) \(see /);
  const bare = sessionKey(
    "x",
    schemaOf<string>(() => ({ issues: [] })),
  );
  expect(thrownBy(() => session.write(bare, "y"))).toMatchObject({
    message: expect.stringMatching(/^the value does not fit its schema \(see /) as string,
  });
});

test("limits and states hold for typed values as for all", async () => {
  const session = await open();
  const key = sessionKey("k".repeat(257), z.string());
  expect(thrownBy(() => session.write(key, "x"))).toMatchObject({ code: "ERR_SESSION_LIMIT_KEY" });
  await session.destroy();
  expect(thrownBy(() => session.write(zodCart, cart))).toMatchObject({
    code: "ERR_SESSION_USAGE_DESTROYED",
  });
});
