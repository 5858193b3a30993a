// Collections: a map of typed entries in the session, each a key of its own.
import { sessionKeys, sessionMap, type Session } from "kocha-session";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { thrownBy } from "../../support/thrown.ts";
import { kinds, makeWorld } from "../engine/client.ts";

const cart = sessionMap("cart", v.number());

describe.each(kinds)("over the %s store", (kind) => {
  test("it is a map that survives the request, and no part of the session's own size and keys", async () => {
    const client = makeWorld(kind).newClient();
    await client.request((session) => {
      const lines = cart.of(session);
      expect(lines.set("tea", 2).set("cup", 1)).toBe(lines);
      session.set("name", "alice");
    });
    await client.request((session) => {
      const lines = cart.of(session);
      expect([lines.get("tea"), lines.get("cake"), lines.has("cup"), lines.has("cake")]).toEqual([
        2,
        undefined,
        true,
        false,
      ]);
      expect(lines.size).toBe(2);
      expect(lines.keys().toSorted()).toEqual(["cup", "tea"]);
      expect(new Map(lines)).toEqual(
        new Map([
          ["tea", 2],
          ["cup", 1],
        ]),
      );
      expect([session.size, [...session], session.has("tea")]).toEqual([
        1,
        [["name", "alice"]],
        false,
      ]);
      expect([lines.delete("tea"), lines.delete("tea")]).toEqual([true, false]);
      lines.clear();
      expect(lines.size).toBe(0);
    });
    await client.request((session) => expect(cart.of(session).size).toBe(0));
  });

  test.each(["", ".", "sku.1", "__proto__", "_flash.x", "€ 🦆", "a.b.c"])(
    "any id is an id: %j",
    async (id) => {
      const client = makeWorld(kind).newClient();
      const other = sessionMap("cart2", v.number());
      await client.request((session) => {
        cart.of(session).set(id, 1);
        other.of(session).set(id, 2);
      });
      await client.request((session) => {
        expect([...cart.of(session)]).toEqual([[id, 1]]);
        expect([...other.of(session)]).toEqual([[id, 2]]);
        expect(session.flash.readAll().size).toBe(0);
      });
    },
  );

  test("an entry is changed by what it holds", async () => {
    const client = makeWorld(kind).newClient();
    await client.request(async (session) => {
      const lines = cart.of(session);
      expect(await lines.update("tea", (count = 0) => count + 1)).toBe(1);
      expect(await lines.update("tea", (count = 0) => count + 1)).toBe(2);
      expect(await lines.update("tea", () => null)).toBeUndefined();
      expect(lines.has("tea")).toBe(false);
    });
  });

  test("it counts in the limits", async () => {
    const world = makeWorld(kind, { maxKeys: 2 });
    const session = await world.engine.open(undefined);
    const lines = cart.of(session);
    lines.set("a", 1).set("b", 1);
    expect(() => lines.set("c", 1)).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_LIMIT_KEYS" }) as Error,
    );
    expect(() => session.set("c", "1")).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_LIMIT_KEYS" }) as Error,
    );
  });

  test("what doesn't fit is refused at writing and absent at reading", async () => {
    const client = makeWorld(kind).newClient();
    const words = sessionMap("cart", v.string());
    await client.request((session) => {
      words.of(session).set("tea", "two");
      expect(() => cart.of(session).set("tea", "two" as never)).toThrow(
        expect.objectContaining({ code: "ERR_SESSION_USAGE_SCHEMA" }) as Error,
      );
    });
    await client.request((session) => {
      const lines = cart.of(session);
      expect([lines.get("tea"), lines.has("tea"), lines.size, [...lines]]).toEqual([
        undefined,
        true,
        1,
        [],
      ]);
    });
  });
});

test("clear() leaves what another request adds meanwhile; session.clear() is the barrier", async () => {
  const world = makeWorld("memory");
  const client = world.newClient();
  await client.request((session) => void cart.of(session).set("tea", 1));
  const checkout = await world.engine.open(client.jar.header);
  const adding = await world.engine.open(client.jar.header);
  cart.of(adding).set("cup", 1);
  await world.engine.commit(adding);
  cart.of(checkout).clear();
  await world.engine.commit(checkout);
  await client.request((session) => expect([...cart.of(session)]).toEqual([["cup", 1]]));
  await client.request((session) => session.clear());
  await client.request((session) => expect(cart.of(session).size).toBe(0));
});

test("one request takes an entry", async () => {
  const world = makeWorld("memory");
  const client = world.newClient();
  await client.request((session) => void cart.of(session).set("tea", 3));
  const open = async (): Promise<Session> => world.engine.open(client.jar.header);
  const sessions = await Promise.all([open(), open()]);
  const taken = await Promise.all(sessions.map((session) => cart.of(session).take("tea")));
  expect(new Set(taken)).toEqual(new Set([3, undefined]));
});

test.each(["", "a.b", "a b", "é", 5 as never])("%j is no name of a collection", (name) => {
  expect(() => sessionMap(name, v.number())).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_USAGE_TYPE" }) as Error,
  );
});

test("what isn't a session of ours, and what isn't an id", async () => {
  expect(() => cart.of({} as Session)).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_USAGE_NO_SESSION" }) as Error,
  );
  const session = await makeWorld("memory").engine.open(undefined);
  expect(() => cart.of(session).get(5 as never)).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_USAGE_TYPE" }) as Error,
  );
});

test("sessionKeys names all typed keys at once", async () => {
  const keys = sessionKeys({ userId: v.number(), returnTo: z.string() });
  expect(Object.values(keys).map(({ name }) => name)).toEqual(["userId", "returnTo"]);
  const session = await makeWorld("memory").engine.open(undefined);
  session.write(keys.userId, 7);
  session.write(keys.returnTo, "/cart");
  expect([session.read(keys.userId), session.read(keys.returnTo)]).toEqual([7, "/cart"]);
  for (const none of [undefined, null, "userId"]) {
    expect(thrownBy(() => sessionKeys(none as never))).toMatchObject({
      code: "ERR_SESSION_USAGE_SCHEMA",
      message: expect.stringContaining("an object with a schema for each key") as string,
    });
  }
  expect(() => sessionKeys({ userId: 5 as never })).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_USAGE_SCHEMA" }) as Error,
  );
});
