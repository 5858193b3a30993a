// The bound of the calls that wait for a store: it holds while the store hangs, and ends when it
// answers, also where the driver has lost the calls of before.
import { SessionMemoryStore, type SessionStore } from "kocha-session";
import { expect, test } from "vitest";
import { MAX_CALLS_IN_FLIGHT } from "../../../src/store/calls-in-flight.ts";
import { until } from "../../support/until.ts";
import { makeWorld, type World } from "../engine/client.ts";

/** A store whose loads can be lost: they never end. */
function losing() {
  const memory = new SessionMemoryStore();
  const state = { isLosing: false, loads: 0 };
  const store: SessionStore = {
    load: async (selector) => {
      state.loads++;
      return state.isLosing ? new Promise<never>(() => undefined) : memory.load(selector);
    },
    save: async (selector, change) => memory.save(selector, change),
  };
  return { store, state };
}

async function codeOf(world: World, header: string | undefined): Promise<string> {
  try {
    return (await world.engine.open(header)).get("user");
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("calls that were lost keep nobody out of a store that answers again", async () => {
  const { store, state } = losing();
  const world = makeWorld(store, { storeTimeout: 0.2 });
  const client = world.newClient();
  await client.request((session) => session.set("user", "alice"));
  const { header } = client.jar;
  state.isLosing = true;
  const lost = Array.from({ length: MAX_CALLS_IN_FLIGHT }, () => codeOf(world, header));
  expect(await codeOf(world, header)).toBe("ERR_SESSION_STORE_BUSY");
  expect(new Set(await Promise.all(lost))).toEqual(new Set(["ERR_SESSION_STORE_TIMEOUT"]));
  // While it hangs it is asked again and again, but not by all that come.
  state.loads = 0;
  await until("one call is made", async () => {
    await codeOf(world, header);
    return state.loads > 0;
  });
  const found = await Promise.all(Array.from({ length: 20 }, () => codeOf(world, header)));
  expect(found).toContain("ERR_SESSION_STORE_BUSY");
  state.isLosing = false;
  await until("it is found to answer", async () => (await codeOf(world, header)) === "alice");
  // The count begins anew.
  const all = Array.from({ length: 100 }, () => codeOf(world, header));
  expect(new Set(await Promise.all(all))).toEqual(new Set(["alice"]));
});
