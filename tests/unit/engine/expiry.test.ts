// What -1, 0 and n mean for both expiries: the pure functions, and a fake clock that walks the
// whole engine to the millisecond before each end and to the end itself.
import { describe, expect, test } from "vitest";
import {
  cookieMaxAge,
  idleTimeoutMs,
  renewalDue,
  type RenewalState,
} from "../../../src/engine/expiry.ts";
import { DAY, MAX_COOKIE_AGE } from "../../../src/base/time.ts";
import { freshKey } from "../../support/keys.ts";
import {
  type Client,
  Clock,
  kinds,
  makeStore,
  makeWorld,
  parseSetCookie,
  type World,
} from "./client.ts";
import { noEffects } from "../../../src/engine/effects.ts";

const day = DAY * 1000;

describe("the two numbers", () => {
  test.each([
    // sessionExpires, cookieExpires, idle timeout in ms
    [0, 0, day],
    [0, 90, 90_000],
    [0, -1, Infinity],
    [30, 0, 30_000],
    [30, 90, 30_000],
    [30, -1, 30_000],
    [-1, 0, Infinity],
    [-1, 90, Infinity],
    [-1, -1, Infinity],
  ])("sessionExpires %d with cookieExpires %d is idle after %d ms", (session, cookie, expected) => {
    expect(idleTimeoutMs(session, cookie)).toBe(expected);
  });

  test.each([
    [0, undefined],
    [1, 1],
    [90 * DAY, 90 * DAY],
    [-1, 34_560_000],
  ])("cookieExpires %d is Max-Age %s", (cookieExpires, expected) => {
    expect(cookieMaxAge(cookieExpires)).toBe(expected);
  });
});

describe("renewalDue", () => {
  const now = 1_000_000_000;
  const state = (overrides: Partial<RenewalState>): RenewalState => ({
    issued: 0,
    expires: now + 100_000,
    deadline: Infinity,
    ttl: 100_000,
    maxAge: undefined,
    ...overrides,
  });

  test.each([
    // ttl in s, renewAfter, the age in s at which it is due: a part, but 60 s, but half the window
    [10_000, 0.1, 1000],
    [10_000, 0, 60],
    [10_000, 1, 10_000],
    [300, 0.1, 60],
    [100, 0.1, 50],
    [100, 0.9, 90],
    [2, 0.1, 1],
  ])("a window of %d s with renewAfter %d is renewed at %d s", (window, renewAfter, due) => {
    const at = (age: number): string =>
      renewalDue(
        state({ ttl: window * 1000, expires: now + window * 1000 - age }),
        renewAfter,
        now,
      );
    expect(at(due * 1000 - 1)).toBe("none");
    expect(at(due * 1000)).toBe("data");
  });

  test("the shorter of the two windows counts", () => {
    const session = state({ ttl: 10_000_000, maxAge: 100, expires: now + 10_000_000 - 50_000 });
    expect(renewalDue(session, 0.1, now)).toBe("data");
    expect(renewalDue({ ...session, expires: session.expires + 1 }, 0.1, now)).toBe("none");
  });

  test("an end at the deadline moves no further; the cookie alone may be due", () => {
    const atDeadline = state({ expires: now + 5000, deadline: now + 5000, maxAge: 100 });
    expect(renewalDue(atDeadline, 0.1, now)).toBe("none");
    expect(renewalDue({ ...atDeadline, issued: now - 49_999 }, 0.1, now)).toBe("none");
    expect(renewalDue({ ...atDeadline, issued: now - 50_000 }, 0.1, now)).toBe("cookie");
    expect(renewalDue({ ...atDeadline, maxAge: undefined, issued: 1 }, 0.1, now)).toBe("none");
  });

  test("close to its deadline a session in use is renewed up to it", () => {
    const session = state({ expires: now + 40_000, deadline: now + 45_000 });
    expect(renewalDue(session, 0.1, now)).toBe("data");
    expect(renewalDue({ ...session, expires: now + 42_000, ttl: 60_000 }, 0.5, now)).toBe("none");
  });

  test("without an idle timeout the cookie alone is renewed, and without Max-Age nothing", () => {
    const endless = state({ ttl: Infinity, expires: Infinity });
    expect(renewalDue(endless, 0.1, now)).toBe("none");
    const cookie = { ...endless, maxAge: 1000, issued: now - 100_000 };
    expect(renewalDue(cookie, 0.1, now)).toBe("cookie");
    expect(renewalDue({ ...cookie, issued: now - 99_999 }, 0.1, now)).toBe("none");
  });

  test("a lifetime past what browsers keep is renewed before they drop the cookie", () => {
    const twentyYears = 20 * 365 * DAY;
    const session = state({
      ttl: twentyYears * 1000,
      maxAge: twentyYears,
      expires: now + twentyYears * 1000 - 40 * day,
    });
    expect(renewalDue(session, 0.1, now)).toBe("data");
    expect(MAX_COOKIE_AGE).toBe(400 * DAY);
  });
});

interface Row {
  readonly cookieExpires: number;
  readonly sessionExpires: number;
  /** Seconds; undefined: the data never dies. */
  readonly dies: number | undefined;
  readonly maxAge: string | undefined;
}

const rows: readonly Row[] = [
  { cookieExpires: 0, sessionExpires: 0, dies: DAY, maxAge: undefined },
  { cookieExpires: 0, sessionExpires: 600, dies: 600, maxAge: undefined },
  { cookieExpires: 0, sessionExpires: -1, dies: undefined, maxAge: undefined },
  { cookieExpires: 900, sessionExpires: 0, dies: 900, maxAge: "900" },
  { cookieExpires: 900, sessionExpires: 600, dies: 600, maxAge: "900" },
  { cookieExpires: 900, sessionExpires: -1, dies: undefined, maxAge: "900" },
  { cookieExpires: -1, sessionExpires: 0, dies: undefined, maxAge: "34560000" },
  { cookieExpires: -1, sessionExpires: 600, dies: 600, maxAge: "34560000" },
  { cookieExpires: -1, sessionExpires: -1, dies: undefined, maxAge: "34560000" },
];

async function login(client: Client): Promise<string> {
  const { setCookie } = await client.request((session) => session.set("name", "alice"));
  return setCookie
    .map(parseSetCookie)
    .map(({ name, value }) => `${name}=${value}`)
    .join("; ");
}

/** What a client that ignores every attribute of its cookie gets to see (law L10). */
async function replay(world: World, cookie: string): Promise<string> {
  return (await world.engine.open(cookie)).get("name");
}

describe.each(kinds)("L10 expiries over the %s store", (kind) => {
  test.each(rows)(
    "cookieExpires $cookieExpires, sessionExpires $sessionExpires: dies after $dies",
    async ({ cookieExpires, sessionExpires, dies, maxAge }) => {
      const world = makeWorld(kind, { cookieExpires, sessionExpires });
      const client = world.newClient();
      const cookie = await login(client);
      const [header = ""] = (await world.newClient().request((it) => it.set("a", "b"))).setCookie;
      const { attributes } = parseSetCookie(header);
      expect(attributes.get("max-age")).toBe(maxAge);
      const expires =
        maxAge === undefined
          ? undefined
          : new Date(world.clock.now() + Number(maxAge) * 1000).toUTCString();
      expect(attributes.get("expires")).toBe(expires);
      const session = await world.engine.open(cookie);
      const end = dies === undefined ? undefined : new Date(world.clock.now() + dies * 1000);
      expect(session.expiresAt).toEqual(end);
      // Without an end the walk goes fifty years on, where nothing ends either.
      const walk = dies ?? 50 * 365 * DAY;
      const after = dies === undefined ? "alice" : "";
      world.clock.advance(walk - 0.001);
      expect(await replay(world, cookie)).toBe("alice");
      world.clock.advance(0.001);
      expect(await replay(world, cookie)).toBe(after);
      world.clock.advance(0.001);
      expect(await replay(world, cookie)).toBe(after);
    },
  );

  test.each([
    { cookieExpires: 0, sessionExpires: 0 },
    { cookieExpires: -1, sessionExpires: -1 },
    { cookieExpires: 900, sessionExpires: 600 },
    { cookieExpires: 0, sessionExpires: -1 },
  ])(
    "absoluteExpires ends $cookieExpires/$sessionExpires in spite of its use",
    async (expiries) => {
      const world = makeWorld(kind, { ...expiries, absoluteExpires: 3000 });
      const client = world.newClient();
      await login(client);
      const start = world.clock.now();
      for (let used = 0; used < 10; used++) {
        world.clock.advance(299);
        await client.request((session) => session.set("used", String(used)));
        const { expiresAt } = await world.engine.open(client.jar.header);
        expect(expiresAt?.getTime()).toBeLessThanOrEqual(start + 3_000_000);
      }
      const cookie = client.jar.header ?? "";
      world.clock.advance(9.999);
      expect(await replay(world, cookie)).toBe("alice");
      world.clock.advance(0.001);
      expect(await replay(world, cookie)).toBe("");
    },
  );

  test("a session with nothing but an absolute end is not extended by a regenerate", async () => {
    const world = makeWorld(kind, { sessionExpires: -1, absoluteExpires: 100 });
    const client = world.newClient();
    await login(client);
    world.clock.advance(99);
    await client.request((session) => session.regenerate());
    world.clock.advance(1);
    expect(await client.read()).toEqual({});
  });

  test("renewal is throttled, sends the cookie anew, and moves the end", async () => {
    const world = makeWorld(kind, { cookieExpires: 1000, renewAfter: 0.25 });
    const client = world.newClient();
    await login(client);
    world.events();
    world.clock.advance(249);
    expect((await client.request((session) => session.get("name"))).setCookie).toEqual([]);
    expect(world.events()).toEqual(["opened"]);
    world.clock.advance(1);
    const { setCookie, noStore } = await client.request((session) => session.get("name"));
    expect(setCookie).toHaveLength(1);
    expect(noStore).toBe(true);
    expect(world.events()).toEqual(["opened", "renewed"]);
    world.clock.advance(999);
    expect(await client.read()).toEqual({ name: "alice" });
    world.clock.advance(1);
    expect(await client.read()).toEqual({});
  });

  test("L5 a request that doesn't touch the session doesn't renew it", async () => {
    const world = makeWorld(kind, { cookieExpires: 1000 });
    const client = world.newClient();
    await login(client);
    world.clock.advance(900);
    const effects = await client.request();
    expect(effects).toEqual(noEffects);
    world.clock.advance(100);
    expect(await client.read()).toEqual({});
  });

  test("L5 a renewal never shortens, also under a shorter configuration", async () => {
    const clock = new Clock();
    const store = makeStore(kind, clock);
    const keys = kind === "memory" ? { signingKey: freshKey() } : {};
    const long = makeWorld(store, { ...keys, cookieExpires: 60, sessionExpires: 10_000 }, clock);
    const short = makeWorld(store, { ...keys, cookieExpires: 60, sessionExpires: 100 }, clock);
    const cookie = await login(long.newClient());
    clock.advance(40);
    const session = await short.engine.open(cookie);
    session.set("more", "data");
    const { setCookie } = await short.engine.commit(session);
    const next = setCookie.map(parseSetCookie).map(({ name, value }) => `${name}=${value}`)[0];
    clock.advance(9959);
    expect(await replay(short, next ?? cookie)).toBe("alice");
    clock.advance(1);
    expect(await replay(short, next ?? cookie)).toBe("");
  });
});
