// Flash messages: read once, hidden from the map's size and iteration, bound by its limits.
import { describe, expect, test } from "vitest";
import { thrownBy } from "../../support/thrown.ts";
import { kinds, makeWorld } from "./client.ts";

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

  test("without a message, reading is no change also where none may be made", async () => {
    const world = makeWorld(kind);
    const client = world.newClient();
    await client.request((session) => session.flash.set("a", "1"));
    const upgrade = await world.engine.openReadOnly(client.jar.header);
    expect(upgrade.flash.get("other")).toBe("");
    expect(thrownBy(() => upgrade.flash.get("a"))).toMatchObject({
      code: "ERR_SESSION_USAGE_READ_ONLY",
    });
  });
});
