// What a client that lies can do with merging cookies: withhold, replay and mix parts, plant those
// of before a login, run ahead to a higher epoch, flood. Each gets what docs/merging-cookies.md says.
import fc from "fast-check";
import { mergingCookies } from "kocha-session/merge";
import { describe, expect, test } from "vitest";
import type { Session } from "../../src/session/session.ts";
import { SessionCookieStore } from "../../src/stores/cookie.ts";
import { freshKeys } from "../support/keys.ts";
import { Clock, makeStore, makeWorld, parseSetCookie, type World } from "../unit/engine/client.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);

function merging(): World {
  const clock = new Clock();
  return makeWorld(makeStore("cookie", clock, { merge: mergingCookies() }), {}, clock);
}

type Cookies = ReadonlyMap<string, string>;

/** A client that keeps every cookie that it ever got, and sends what it likes. */
class Liar {
  readonly #world: World;
  readonly kept = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A request with these cookies; gives them as a browser has them afterwards. */
  async send(
    cookies: Cookies,
    handle: (session: Session) => unknown,
  ): Promise<Map<string, string>> {
    const session = await this.#world.engine.open(headerOf(cookies));
    await handle(session);
    const { setCookie } = await this.#world.engine.commit(session);
    const after = new Map(cookies);
    for (const { name, value, attributes } of setCookie.map(parseSetCookie)) {
      if (attributes.get("max-age") === "0") after.delete(name);
      else {
        after.set(name, value);
        this.kept.set(name, value);
      }
    }
    return after;
  }

  async read(cookies: Cookies): Promise<Record<string, string>> {
    return (await this.#world.engine.open(headerOf(cookies))).toObject();
  }
}

function headerOf(cookies: Cookies): string {
  return Array.from(cookies, ([name, value]) => `${name}=${value}`).join("; ");
}

function both(one: Cookies, other: Cookies): Map<string, string> {
  return new Map([...one, ...other]);
}

const empty: Cookies = new Map();
const set =
  (...pairs: readonly [string, string][]) =>
  (session: Session): void =>
    pairs.forEach(([key, value]) => session.set(key, value));

describe("a client that lies", () => {
  test("withholds and replays: any choice of its parts is a state that was, key by key", async () => {
    const liar = new Liar(merging());
    const states: Record<string, string>[] = [{}];
    let jar: Cookies = empty;
    for (let step = 0; step < 8; step++) {
      jar = await liar.send(jar, set([`k${step % 3}`, String(step)]));
      states.push(await liar.read(jar));
    }
    // It wrote one after the other, so that each choice is one of the states there were.
    const all = [...liar.kept];
    await fc.assert(
      fc.asyncProperty(fc.subarray(all), async (chosen) => {
        expect(states).toContainEqual(await liar.read(new Map(chosen)));
      }),
      { seed, numRuns: 100 },
    );
  });

  test("mixes copies that went separate ways: within an epoch both, the last writer of each key", async () => {
    const world = merging();
    const liar = new Liar(world);
    const base = await liar.send(empty, set(["a", "0"], ["b", "0"], ["c", "0"]));
    const one = await liar.send(base, set(["a", "1"], ["b", "1"]));
    world.clock.advance(1);
    const other = await liar.send(base, set(["b", "2"]));
    expect(await liar.read(both(one, other))).toEqual({ a: "1", b: "2", c: "0" });
  });

  test("mixes two logins: one of them counts, whole", async () => {
    const liar = new Liar(merging());
    const base = await liar.send(empty, set(["cart", "x"]));
    const login = (user: string, rights: string) => async (session: Session) => {
      await session.regenerate();
      set(["user", user], ["rights", rights])(session);
    };
    const admin = await liar.send(base, login("admin", "all"));
    const guest = await liar.send(base, login("guest", "none"));
    const states = [await liar.read(admin), await liar.read(guest)];
    expect(states).toContainEqual(await liar.read(both(admin, guest)));
    // Whatever each of them goes on to write.
    const more = both(
      await liar.send(admin, set(["note", "1"])),
      await liar.send(guest, set(["note", "2"])),
    );
    const { user, rights, note } = await liar.read(more);
    expect([
      ["admin", "all", "1"],
      ["guest", "none", "2"],
    ]).toContainEqual([user, rights, note]);
  });

  test("plants the parts of before the login: they count no more, and are swept", async () => {
    const world = merging();
    const attacker = new Liar(world);
    const victim = new Liar(world);
    const planted = await attacker.send(empty, set(["cart", "attacker's"]));
    let jar = await victim.send(planted, async (session) => {
      await session.regenerate();
      session.set("user", "victim");
    });
    const again = await attacker.send(planted, set(["user", "attacker"], ["evil", "1"]));
    jar = both(jar, again);
    expect(await victim.read(jar)).toEqual({ cart: "attacker's", user: "victim" });
    expect(await attacker.read(again)).not.toHaveProperty("user", "victim");
    jar = await victim.send(jar, set(["seen", "1"]));
    expect([...jar.keys()].filter((name) => again.has(name))).toEqual([]);
    expect(await victim.read(jar)).toEqual({ cart: "attacker's", user: "victim", seen: "1" });
  });

  test("runs its own copy to a higher epoch: it counts whole, and nothing of the victim's joins it", async () => {
    const world = merging();
    const attacker = new Liar(world);
    const victim = new Liar(world);
    const planted = await attacker.send(empty, set(["who", "nobody"]));
    const victims = await victim.send(planted, async (session) => {
      await session.regenerate();
      set(["who", "victim"], ["secret", "s"])(session);
    });
    let ahead: Cookies = planted;
    for (let round = 0; round < 5; round++)
      ahead = await attacker.send(ahead, (s) => s.regenerate());
    ahead = await attacker.send(ahead, set(["who", "attacker"]));
    expect(await victim.read(both(victims, ahead))).toEqual({ who: "attacker" });
    // What the victim then writes is in the victim's browser alone.
    await victim.send(both(victims, ahead), set(["typed", "t"]));
    expect(await attacker.read(ahead)).toEqual({ who: "attacker" });
  });

  test("plants a tombstone: the victim is logged out, and can begin again", async () => {
    const world = merging();
    const attacker = new Liar(world);
    const victim = new Liar(world);
    const shared = await attacker.send(empty, set(["a", "1"]));
    const jar = await victim.send(shared, (session) => session.regenerate());
    const tombstone = await attacker.send(shared, (session) => session.destroy());
    expect(await victim.read(both(jar, tombstone))).toEqual({});
    const fresh = await victim.send(both(jar, tombstone), set(["b", "2"]));
    expect(await victim.read(fresh)).toEqual({ b: "2" });
  });

  test("withholds the tombstone: its copy is as good as it was, and no better", async () => {
    const liar = new Liar(merging());
    const jar = await liar.send(empty, set(["a", "1"]));
    await liar.send(jar, (session) => session.destroy());
    expect(await liar.read(jar)).toEqual({ a: "1" });
    expect(await liar.read(liar.kept)).toEqual({});
  });

  test("floods: 64 cookies are opened, whatever it sends", async () => {
    const world = merging();
    const liar = new Liar(world);
    const base = await liar.send(empty, set(["a", "0"]));
    let flood: Cookies = base;
    for (let n = 0; n < 100; n++) flood = both(flood, await liar.send(base, set([`k${n}`, "1"])));
    expect(flood.size).toBe(101);
    // The last 64, each of which holds the first key and its own.
    const found = Object.keys(await liar.read(flood));
    expect(found).toEqual(["a", ...Array.from({ length: 64 }, (_, n) => `k${n + 36}`)]);
    // Its next writes bring it down, 16 a response, and nothing of it is lost.
    for (let n = 0; n < 10; n++) flood = await liar.send(flood, set(["a", String(n)]));
    expect(flood.size).toBe(2);
    expect(Object.keys(await liar.read(flood))).toHaveLength(101);
  });

  test.each([
    ["merging", { merge: mergingCookies() }, 9, 65],
    ["split", { maxCookies: 3 }, 5000, 1],
  ] as const)(
    "plants junk behind the cookies of a %s session, and shuts none out",
    async (...row) => {
      const [, options, length, told] = row;
      const clock = new Clock();
      const world = makeWorld(makeStore("cookie", clock, options), {}, clock);
      const liar = new Liar(world);
      const value = "1".repeat(length);
      const mine = await liar.send(empty, set(["a", value]));
      const name = (index: number): string => `session.${String(index).padStart(5, "a")}A`;
      const junk = (count: number, text: string): Cookies =>
        new Map(Array.from({ length: count }, (_, index) => [name(index), text]));
      world.events();
      expect(await liar.read(both(mine, junk(1000, "junk")))).toEqual({ a: value });
      // The observers are told, up to a bound.
      expect(world.events()).toHaveLength(told);
      // Of the form of ours, and sealed by nobody of ours: what has to be checked is bounded.
      const [[, sealed] = ["", ""]] = mine;
      const forged = `${sealed.slice(0, 60)}${"A".repeat(30)}`;
      expect(await liar.read(both(mine, junk(60, forged)))).toEqual({ a: value });
    },
  );
});

describe("C8 a part opens in its place alone", () => {
  const clock = new Clock();
  const keys = freshKeys();
  const store = new SessionCookieStore({ ...keys, merge: mergingCookies() });
  const context = { name: "session", now: clock.now() };
  const change = {
    op: "create",
    set: new Map([["a", "1"]]),
    del: [],
    ttl: 60_000,
    deadline: Infinity,
  } as const;
  const cookie = store.write(undefined, change, context)?.set[0] ?? { name: "", value: "" };

  test("under its own name", () => {
    expect(store.open([cookie], context)).toMatchObject({ data: change.set });
    const names = ["session", "session.AAAAAA", "session.split1", "other.AAAAAA", "session.AAAAAB"];
    for (const name of names) expect(store.open([{ ...cookie, name }], context)).toBeUndefined();
  });

  test("under its own keys", () => {
    const other = new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() });
    expect(other.open([cookie], context)).toBeUndefined();
  });

  test("and a whole session or a piece never opens as one", () => {
    const plain = new SessionCookieStore({ ...keys, maxCookies: 2 });
    const big = { ...change, set: new Map([["a", "x".repeat(4000)]]) };
    const cookies = [change, big].flatMap((one) => plain.write(undefined, one, context)?.set ?? []);
    expect(cookies.map(({ name }) => name)).toEqual([
      "session",
      "session.split1",
      "session.split2",
    ]);
    for (const { value } of cookies) {
      expect(store.open([{ name: cookie.name, value }], context)).toBeUndefined();
    }
  });

  test("and no bit of it can be changed, nor can parts of two be put together", () => {
    const other = store.write(undefined, change, context)?.set[0]?.value ?? "";
    const { value } = cookie;
    for (let at = 0; at < value.length; at++) {
      const turned = value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1);
      expect(store.open([{ ...cookie, value: turned }], context)).toBeUndefined();
      const spliced = value.slice(0, at) + other.slice(at);
      // The whole of the other part has a name of its own; an equal end makes the true value.
      if (at === 0 || spliced === value) continue;
      expect(store.open([{ ...cookie, value: spliced }], context)).toBeUndefined();
    }
  });
});
