// Flash messages: read once, hidden from the map's size and iteration, bound by its limits.
import { describe, expect, test } from "vitest";
import { thrownBy } from "../../support/thrown.ts";
import { kinds, makeWorld } from "../engine/client.ts";

describe.each(kinds)("flash messages over the %s store", (kind) => {
  test("a message is there for the next request, once", async () => {
    const world = makeWorld(kind);
    const client = world.newClient();
    await client.request((session) => {
      session.flash.set("notice", "old");
      session.flash.set("notice", "saved");
      expect(session.flash).toBe(session.flash);
    });
    await client.request((session) => {
      expect(session.size).toBe(0);
      expect(session.toObject()).toEqual({});
      expect([...session.keys()]).toEqual([]);
      expect(session.flash.get("notice")).toBe("saved");
      expect(session.flash.get("notice")).toBe("");
    });
    const last = await client.request((session) => expect(session.flash.get("notice")).toBe(""));
    expect(last.setCookie).toEqual([]);
  });

  test("a message that no request reads stays", async () => {
    const client = makeWorld(kind).newClient();
    await client.request((session) => session.flash.set("notice", "later"));
    await client.request((session) => session.set("a", "1"));
    await client.request((session) => expect(session.flash.get("notice")).toBe("later"));
  });

  test("messages count in the limits, and clear takes them too", async () => {
    const world = makeWorld(kind, { maxKeys: 2 });
    const session = await world.engine.open(undefined);
    session.flash.set("a", "1");
    session.set("b", "2");
    expect(thrownBy(() => session.flash.set("c", "3"))).toMatchObject({
      code: "ERR_SESSION_LIMIT_KEYS",
    });
    session.clear();
    expect(session.flash.get("a")).toBe("");
  });

  test("peek leaves the message, readAll gives all and takes them away", async () => {
    const client = makeWorld(kind).newClient();
    await client.request((session) => {
      session.set("a", "1");
      session.flash.set("notice", "saved");
      session.flash.set("", "without a name");
    });
    const looked = await client.request((session) => {
      expect(session.flash.peek("notice")).toBe("saved");
      expect(session.flash.peek("other")).toBe("");
    });
    expect(looked.setCookie).toEqual([]);
    await client.request((session) => {
      const all = session.flash.readAll();
      expect(all).toEqual(
        new Map([
          ["notice", "saved"],
          ["", "without a name"],
        ]),
      );
      all.set("notice", "nobody's way in");
      expect(session.flash.readAll()).toEqual(new Map());
      expect(session.flash.peek("notice")).toBe("");
    });
    const last = await client.request((session) => {
      expect(session.flash.readAll()).toEqual(new Map());
      expect(session.toObject()).toEqual({ a: "1" });
    });
    expect(last.setCookie).toEqual([]);
  });

  test("a name or a message that is no string is an error", async () => {
    const { flash } = await makeWorld(kind).engine.open(undefined);
    for (const set of [() => flash.set(5 as never, "x"), () => flash.set("x", { a: 1 } as never)]) {
      expect(thrownBy(set)).toMatchObject({ code: "ERR_SESSION_USAGE_TYPE" });
    }
  });

  test("where nothing may be changed, reading fails with a message and without one", async () => {
    const world = makeWorld(kind);
    const client = world.newClient();
    await client.request((session) => session.flash.set("a", "1"));
    const upgrade = await world.engine.openReadOnly(client.jar.header);
    const begun = await world.engine.open(client.jar.header);
    await world.engine.commit(begun);
    const unseen = await world.engine.open(undefined);
    await world.engine.commit(unseen);
    for (const [session, code] of [
      [upgrade, "ERR_SESSION_USAGE_READ_ONLY"],
      [begun, "ERR_SESSION_USAGE_HEADERS_SENT"],
      [unseen, "ERR_SESSION_USAGE_HEADERS_SENT"],
    ] as const) {
      for (const read of [
        () => session.flash.get("a"),
        () => session.flash.get("other"),
        () => session.flash.readAll(),
      ]) {
        expect(thrownBy(read)).toMatchObject({ code });
      }
    }
    expect(upgrade.flash.peek("a")).toBe("1");
    expect(begun.flash.peek("a")).toBe("1");
    expect(unseen.flash.peek("a")).toBe("");
  });

  test("after destroy there is no message, and nothing to remove", async () => {
    const client = makeWorld(kind).newClient();
    await client.request((session) => session.flash.set("a", "1"));
    await client.request(async (session) => {
      await session.destroy();
      expect([session.flash.get("a"), session.flash.peek("a")]).toEqual(["", ""]);
      expect(session.flash.readAll()).toEqual(new Map());
      expect(thrownBy(() => session.flash.set("a", "2"))).toMatchObject({
        code: "ERR_SESSION_USAGE_DESTROYED",
      });
    });
  });
});
