// What holds when a clock is turned: put back, ahead and right again, or ticking between two looks.
import {
  memoryRevocations,
  type SessionConfig,
  SessionCookieStore,
  type SessionCookieStoreOptions,
} from "kocha-session";
import { type Merging, mergingCookies } from "kocha-session/merge";
import { describe, expect, test } from "vitest";
import { freshKeys } from "../../support/keys.ts";
import { Clock, makeStore, makeWorld, type World } from "./client.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Each kind of store on which a regenerate ends the old credential. */
const kindsOfGrace: Record<string, (clock: Clock) => World> = {
  "a server-side store": (clock) => makeWorld(makeStore("memory", clock), {}, clock),
  "the cookie store with revocations": (clock) => makeRevocable(clock),
  "the merging store with revocations": (clock) =>
    makeRevocable(clock, { merge: mergingCookies() }),
};

function makeRevocable(
  clock: Clock,
  options: { merge?: Merging } = {},
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

test("a state with a shorter idle timeout of its own counts as the later one", async () => {
  const clock = new Clock();
  const world = makeWorld(makeStore("cookie", clock), { sessionExpires: 30 * DAY }, clock);
  const client = world.newClient();
  await client.request((session) => session.set("state", "first"));
  const first = client.jar.header ?? "";
  clock.advance(2);
  await client.request((session) => {
    session.set("state", "second");
    session.sessionExpires = HOUR;
  });
  const second = client.jar.header ?? "";
  for (const order of [
    [first, second],
    [second, first],
  ]) {
    const session = await world.engine.open(order.join("; "));
    expect([session.get("state"), session.sessionExpires]).toEqual(["second", HOUR]);
  }
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
    const world = makeRevocable(clock, { ...(merge && { merge: mergingCookies() }) }, list.now);
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

/** Each kind of cookie store; its sessions may be revoked. */
const cookieStores: Record<string, (clock: Clock, keys: CookieKeys) => World> = {
  plain: (clock, keys) => makeCookieWorld(clock, keys, {}),
  split: (clock, keys) => makeCookieWorld(clock, keys, { maxCookies: 4 }),
  merging: (clock, keys) => makeCookieWorld(clock, keys, { merge: mergingCookies() }),
  "plain with revocations": (clock, keys) => makeCookieWorld(clock, keys, {}, true),
  "split with revocations": (clock, keys) => makeCookieWorld(clock, keys, { maxCookies: 4 }, true),
  "merging with revocations": (clock, keys) =>
    makeCookieWorld(clock, keys, { merge: mergingCookies() }, true),
};
type CookieKeys = ReturnType<typeof freshKeys>;

function makeCookieWorld(
  clock: Clock,
  keys: CookieKeys,
  options: Partial<SessionCookieStoreOptions>,
  isRevocable = false,
): World {
  const store = new SessionCookieStore({ ...keys, ...options });
  const revocations = isRevocable ? memoryRevocations({ now: clock.now }) : undefined;
  return makeWorld(store, { sessionExpires: DAY, revocations }, clock);
}

describe.each(Object.entries(cookieStores))("a session of the future, %s", (kind, make) => {
  const size = kind.startsWith("split") ? 5000 : 10;

  /** A browser that logged in while the clock was hours ahead; the clock is right again. */
  async function loggedInAhead() {
    const clock = new Clock();
    const world = make(clock, freshKeys());
    clock.advance(4 * HOUR);
    const client = world.newClient();
    await client.request((session) => session.set("name", "alice".repeat(size / 5)));
    clock.advance(-4 * HOUR);
    expect(await client.read()).toEqual({});
    const thief = world.newClient();
    thief.jar.take(client.jar.cookies.map(({ name, value }) => `${name}=${value}`));
    return { clock, world, client, thief };
  }

  test("is ended by a logout in its browser", async () => {
    const { clock, world, client, thief } = await loggedInAhead();
    world.told.length = 0;
    await client.request((session) => session.destroy());
    expect(world.told.map(({ name }) => name)).toContain("destroyed");
    // A copy is dead too where sessions can be revoked.
    const readers = kind.includes("revocations") ? [client, thief] : [client];
    for (let hours = 0; hours < 10; hours++) {
      for (const reader of readers) expect(await reader.read()).toEqual({});
      clock.advance(HOUR);
    }
  });

  test("doesn't come back to life behind who logs in after it", async () => {
    const { clock, client } = await loggedInAhead();
    await client.request((session) => session.set("name", "bob"));
    for (let hours = 0; hours < 6; hours++) {
      expect(await client.read()).toEqual({ name: "bob" });
      clock.advance(HOUR);
    }
  });

  test("nor behind who writes more than once, or logs out", async () => {
    const { clock, client } = await loggedInAhead();
    for (const name of ["bob", "carol", "dave"]) {
      await client.request((session) => session.set("name", name));
    }
    await client.request((session) => session.destroy());
    for (let hours = 0; hours < 10; hours++) {
      expect(await client.read()).toEqual({});
      clock.advance(HOUR);
    }
  });
});

describe.each(Object.entries(cookieStores))("an expired session, %s", (kind, make) => {
  const size = kind.startsWith("split") ? 5000 : 10;

  test("leaves no cookie behind the next one's first write, nor a logout", async () => {
    const clock = new Clock();
    const world = make(clock, freshKeys());
    const client = world.newClient();
    await client.request((session) => session.set("name", "x".repeat(size)));
    clock.advance(2 * DAY);
    await client.request((session) => session.set("name", "bob"));
    expect(client.jar.cookies.filter(({ value }) => value !== "")).toHaveLength(1);
    expect(await client.read()).toEqual({ name: "bob" });
    clock.advance(2 * DAY);
    await client.request((session) => session.destroy());
    const { header = "" } = client.jar;
    expect((await world.engine.open(header)).isNew).toBe(true);
    const left = client.jar.cookies.filter(({ value }) => value !== "");
    expect(left.length).toBeLessThanOrEqual(kind.startsWith("merging") ? 1 : 0);
  });

  test("a second logout changes nothing", async () => {
    const clock = new Clock();
    const world = make(clock, freshKeys());
    const client = world.newClient();
    await client.request((session) => session.set("name", "x".repeat(size)));
    await client.request((session) => session.destroy());
    const { cookies } = client.jar;
    expect((await client.request((session) => session.destroy())).setCookie).toEqual([]);
    expect(client.jar.cookies).toEqual(cookies);
  });
});
