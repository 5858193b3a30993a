// What holds when a clock is turned: put back, ahead and right again, or ticking between two looks.
import { memoryRevocations, type SessionConfig } from "kocha-session";
import { describe, expect, test } from "vitest";
import { Clock, makeStore, makeWorld, type World } from "./client.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Each kind of store on which a regenerate ends the old credential. */
const kindsOfGrace: Record<string, (clock: Clock) => World> = {
  "a server-side store": (clock) => makeWorld(makeStore("memory", clock), {}, clock),
  "the cookie store with revocations": (clock) => makeRevocable(clock),
  "the merging store with revocations": (clock) => makeRevocable(clock, { merge: true }),
};

function makeRevocable(
  clock: Clock,
  options: { merge?: boolean } = {},
  now: () => number = clock.now,
): World {
  const config: Partial<SessionConfig> = {
    revocations: memoryRevocations({ now }),
    sessionExpires: 30 * DAY,
  };
  return makeWorld(makeStore("cookie", clock, options), config, clock);
}

/** A Cookie header from before a regenerate. */
async function replacedCredential(world: World): Promise<string> {
  const client = world.newClient();
  await client.request((session) => session.set("name", "alice"));
  const { header = "" } = client.jar;
  // So that a clock that is put back is still past the session's beginning.
  world.clock.advance(DAY / 2);
  await client.request((session) => session.regenerate());
  return header;
}

describe.each(Object.entries(kindsOfGrace))("L4 the grace, on %s", (_, make) => {
  test.each([
    [-2 * HOUR, false],
    [-301, false],
    // Clocks may differ by five minutes.
    [-299, true],
    [0, true],
    [59, true],
    [60, false],
  ])("%d s after the regenerate by the clock: %s", async (seconds, isInGrace) => {
    const clock = new Clock();
    const world = make(clock);
    const header = await replacedCredential(world);
    clock.advance(seconds);
    const session = await world.engine.open(header);
    expect([session.get("name"), session.readOnly]).toEqual(["", isInGrace]);
  });
});

describe("two states of one session, under one name", () => {
  test.each([
    ["with an idle end", DAY],
    ["without one", -1],
  ])("%s: the later one counts, wherever it stands in the header", async (_, sessionExpires) => {
    const clock = new Clock();
    const world = makeWorld(makeStore("cookie", clock), { sessionExpires }, clock);
    const client = world.newClient();
    const states: string[] = [];
    for (const state of ["first", "second", "third"]) {
      await client.request((session) => session.set("state", state));
      states.push(client.jar.header ?? "");
      clock.advance(2);
    }
    const [first, second, third] = states;
    for (const order of [
      [first, second, third],
      [third, second, first],
      [second, third, first],
    ]) {
      const session = await world.engine.open(order.join("; "));
      expect(session.get("state")).toBe("third");
    }
  });
});

/** A clock that is a millisecond behind for so many looks, and then ticks. */
function tickingClock(clock: Clock) {
  let looksLeft = 0;
  const now = (): number => (looksLeft-- > 0 ? clock.now() - 1 : clock.now());
  const tickAfter = (looks: number): void => void (looksLeft = looks);
  return { now, tickAfter };
}

describe.each([false, true])("L4 the 60th second, with merge %s", (merge) => {
  test("which comes between two looks at the clock: the retired cookie never opens alive", async () => {
    const clock = new Clock();
    const list = tickingClock(clock);
    const world = makeRevocable(clock, { merge }, list.now);
    const client = world.newClient();
    await client.request((session) => session.set("name", "alice"));
    // Several parts, each of which is asked about.
    const parts = await Promise.all(
      ["a", "b"].map(async () => world.engine.open(client.jar.header)),
    );
    for (const [index, part] of parts.entries()) {
      part.set(`k${index}`, "1");
      client.jar.take((await world.engine.commit(part)).setCookie);
    }
    const { header } = client.jar;
    await client.request((session) => session.regenerate());
    clock.advance(60);
    const found = new Set<boolean>();
    for (let looks = 0; looks < 8; looks++) {
      list.tickAfter(looks);
      const session = await world.engine.open(header);
      expect(session.toObject()).toEqual({});
      expect(session.isNew).toBe(true);
      found.add(session.readOnly);
      session.set("late", "1");
      const { setCookie } = await world.engine.commit(session);
      expect(setCookie.length > 0).toBe(!session.readOnly);
    }
    // Both sides of the instant were met.
    expect(found).toEqual(new Set([false, true]));
  });
});
