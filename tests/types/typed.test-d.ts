// Typed keys infer from any Standard Schema what is written and what is read, without declaration
// merging and without importing the schema's library.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  type Session,
  sessionKey,
  sessionKeys,
  type SessionKey,
  sessionMap,
  type StandardSchema,
} from "kocha-session";
import * as v from "valibot";
import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";

declare const session: Session;

interface Cart {
  items: string[];
  total: number;
}

describe("one key by what it holds", () => {
  const keys = sessionKeys({ userId: v.number(), at: z.string().transform(Number) });

  test("sessionKeys gives each key its own types", () => {
    expectTypeOf(keys.userId).toEqualTypeOf<SessionKey<number, number>>();
    expectTypeOf(keys.at).toEqualTypeOf<SessionKey<string, number>>();
    // @ts-expect-error there is no such key
    void keys.userName;
  });

  test("update goes from the output to the input, and null removes", () => {
    expectTypeOf(session.update(keys.at, (at) => String(at))).toEqualTypeOf<
      Promise<number | undefined>
    >();
    void session.update(keys.userId, () => null);
    // @ts-expect-error a forgotten return would remove the key
    void session.update(keys.userId, (id) => void id);
    // @ts-expect-error it answers at once
    void session.update(keys.userId, async () => 1);
    // @ts-expect-error what is written is the input
    void session.update(keys.at, (at) => at ?? 0);
    expectTypeOf(session.update("n", (held) => held ?? "")).toEqualTypeOf<
      Promise<string | undefined>
    >();
    expectTypeOf(session.take(keys.at)).toEqualTypeOf<Promise<number | undefined>>();
    expectTypeOf(session.take("n")).toEqualTypeOf<Promise<string | undefined>>();
    expectTypeOf(session.increment("n")).toEqualTypeOf<Promise<number>>();
  });

  test("a collection's entries have the schema's types", () => {
    const lines = sessionMap("cart", z.string().transform(Number)).of(session);
    expectTypeOf(lines.get("tea")).toEqualTypeOf<number | undefined>();
    expectTypeOf([...lines]).toEqualTypeOf<[string, number][]>();
    lines.set("tea", "2");
    // @ts-expect-error what is written is the input
    lines.set("tea", 2);
  });
});

describe("Zod", () => {
  const cart = sessionKey("cart", z.object({ items: z.array(z.string()), total: z.number() }));

  test("what is read is the schema's output, or undefined", () => {
    expectTypeOf(cart).toEqualTypeOf<SessionKey<Cart, Cart>>();
    expectTypeOf(session.read(cart)).toEqualTypeOf<Cart | undefined>();
  });

  test("what is written is the schema's input", () => {
    session.write(cart, { items: ["tea"], total: 12 });
    // @ts-expect-error a price is a number
    session.write(cart, { items: ["tea"], total: "12" });
    // @ts-expect-error a cart has items
    session.write(cart, { total: 12 });
    // @ts-expect-error an unknown property is a mistake
    session.write(cart, { items: [], total: 0, totals: 1 });
    // @ts-expect-error a key is removed with del
    session.write(cart, undefined);
  });

  test("transformations and defaults: input and output differ", () => {
    const seen = sessionKey(
      "seen",
      z.object({
        at: z.string().transform((text) => new Date(text)),
        count: z.number().default(0),
      }),
    );
    expectTypeOf(session.read(seen)).toEqualTypeOf<{ at: Date; count: number } | undefined>();
    session.write(seen, { at: "2026-01-01" });
    // @ts-expect-error what is stored is the input: a string
    session.write(seen, { at: new Date() });
  });
});

describe("Valibot", () => {
  const cart = sessionKey("cart", v.object({ items: v.array(v.string()), total: v.number() }));

  test("infers the same", () => {
    expectTypeOf(session.read(cart)).toEqualTypeOf<Cart | undefined>();
    session.write(cart, { items: [], total: 0 });
    // @ts-expect-error a price is a number
    session.write(cart, { items: [], total: "0" });
  });

  test("transformations", () => {
    const role = sessionKey(
      "role",
      v.pipe(
        v.string(),
        v.transform((text) => text.length),
      ),
    );
    expectTypeOf(session.read(role)).toEqualTypeOf<number | undefined>();
    session.write(role, "admin");
    // @ts-expect-error the input is a string
    session.write(role, 5);
  });
});

describe("Standard Schema itself", () => {
  test("whatever follows the published interface is taken", () => {
    const schema = {} as StandardSchemaV1<{ on: "yes" | "no" }, { on: boolean }>;
    const key = sessionKey("switch", schema);
    expectTypeOf(key).toEqualTypeOf<SessionKey<{ on: "yes" | "no" }, { on: boolean }>>();
    expectTypeOf(session.read(key)).toEqualTypeOf<{ on: boolean } | undefined>();
    session.write(key, { on: "yes" });
    // @ts-expect-error outside of the union
    session.write(key, { on: "maybe" });
  });

  test("the part that we declare is what the published interface has", () => {
    expectTypeOf<StandardSchemaV1<string, number>>().toExtend<StandardSchema<string, number>>();
    expectTypeOf<StandardSchema<string>>().toEqualTypeOf<StandardSchema<string, string>>();
  });

  test("no schema, no key", () => {
    // @ts-expect-error a schema is needed
    sessionKey("cart");
    // @ts-expect-error a function is none
    sessionKey("cart", (value: unknown) => value);
    // @ts-expect-error nor is a description of a type
    sessionKey("cart", { type: "object" });
  });

  test("the value decides nothing: a key's type is its schema's", () => {
    const key = sessionKey("role", z.enum(["admin", "user"]));
    // @ts-expect-error the key isn't widened to fit the value
    session.write(key, "guest");
    // @ts-expect-error a string is no typed key
    session.read("role");
    // @ts-expect-error nor for writing
    session.write("role", "admin");
  });
});
