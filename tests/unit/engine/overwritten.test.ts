// on.overwritten: a key that was read and then set overwrote what another request had written.
import { describe, expect, test } from "vitest";
import type { Session } from "../../../src/session/session.ts";
import type { SessionStore } from "../../../src/store/contract.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { slowly } from "../../support/latency.ts";
import { Clock, makeWorld } from "./client.ts";

type Step = (session: Session) => unknown;

/** Who races: one reads before the other writes, and writes after it. */
async function raceOf(
  read: Step,
  other: Step,
  write: Step,
  more: { store?: SessionStore; on?: object } = {},
) {
  const clock = new Clock();
  const inner = more.store ?? slowly(new SessionMemoryStore({ now: clock.now }));
  const calls: string[] = [];
  let sent = 0;
  const store: SessionStore = {
    ...(inner.capabilities !== undefined && { capabilities: inner.capabilities }),
    load: (key) => (calls.push("load"), inner.load(key)),
    save: (key, change) => {
      calls.push("save");
      sent += change.expect === undefined ? 0 : 1;
      return inner.save(key, change);
    },
  };
  const world = makeWorld(store, more.on === undefined ? {} : { on: more.on }, clock);
  const client = world.newClient();
  await client.request((session) => {
    session.set("cart", "1");
    session.set("other", "1");
  });
  const late = await world.engine.open(client.jar.header);
  await read(late);
  await client.request(other);
  world.told.length = calls.length = 0;
  await write(late);
  await world.engine.commit(late);
  const told = world.told.filter(({ name }) => name === "overwritten").map(({ event }) => event);
  return { told, calls, data: await client.read(), sent };
}

const add: Step = (session) => session.set("cart", `${session.get("cart")}+late`);

describe("it is told", () => {
  test.each<[string, Step, Step]>([
    ["set", (it) => it.get("cart"), (it) => it.set("cart", "late")],
    ["removed", (it) => it.has("cart"), (it) => it.del("cart")],
    ["set after it was read only", add, () => undefined],
  ])("when a key that was read is %s", async (_, read, write) => {
    const { told, calls, data } = await raceOf(read, (it) => it.set("cart", "2"), write);
    expect(told).toEqual([{ id: expect.stringMatching(/^[\w-]{22}$/) as string, keys: ["cart"] }]);
    // A load and a save more; and the later one counts, as without it.
    expect(calls.slice(0, 3)).toEqual(["save", "load", "save"]);
    expect(data["cart"]).not.toBe("2");
  });

  test("of the keys that an update saves along, too", async () => {
    const { told, data } = await raceOf(
      add,
      (it) => it.set("cart", "2"),
      (it) => it.increment("n"),
    );
    expect(told).toHaveLength(1);
    expect(data).toMatchObject({ cart: "1+late", n: "1" });
  });
});

describe("it is not told, and costs nothing more", () => {
  test.each<[string, Step, Step, Step]>([
    ["nobody else wrote", add, () => undefined, () => undefined],
    ["another key was written", add, (it) => it.set("other", "2"), () => undefined],
    [
      "the key was set without a look",
      () => undefined,
      (it) => it.set("cart", "2"),
      (it) => it.set("cart", "late"),
    ],
    [
      "it was read and left alone",
      (it) => it.get("cart"),
      (it) => it.set("cart", "2"),
      (it) => it.set("other", "late"),
    ],
    [
      "its own value was read back",
      (it) => it.set("cart", "mine"),
      (it) => it.set("cart", "2"),
      (it) => it.get("cart"),
    ],
  ])("when %s", async (_, read, other, write) => {
    const { told, calls } = await raceOf(read, other, write);
    expect(told).toEqual([]);
    expect(calls.filter((call) => call === "save")).toHaveLength(1);
    expect(calls[0]).toBe("save");
  });

  test("when it is an update that changes it", async () => {
    const { told, data } = await raceOf(
      (it) => it.get("cart"),
      (it) => it.set("cart", "2"),
      (it) => it.update("cart", (held) => `${held}+late`),
    );
    expect(told).toEqual([]);
    expect(data["cart"]).toBe("2+late");
  });

  test("when nobody listens: no change carries what it expects", async () => {
    const { sent } = await raceOf(
      add,
      (it) => it.set("cart", "2"),
      () => undefined,
      { on: {} },
    );
    expect(sent).toBe(0);
  });

  test("when the store doesn't say that it looks", async () => {
    const clock = new Clock();
    const inner = new SessionMemoryStore({ now: clock.now });
    const store: SessionStore = {
      capabilities: { atomic: true },
      load: (key) => inner.load(key),
      save: (key, change) => inner.save(key, change),
    };
    const { told, sent } = await raceOf(
      add,
      (it) => it.set("cart", "2"),
      () => undefined,
      { store },
    );
    expect([told, sent]).toEqual([[], 0]);
  });
});
