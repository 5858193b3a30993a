// The index of a subject in Redis: a live bound session is in it at every moment, whoever races or
// dies half-way, and what is in it for nobody goes away.
import fc from "fast-check";
import { SessionRedisStore } from "kocha-session/redis";
import type { ListedSession, SessionChange } from "kocha-session";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { commitScript, MARGIN_MS, SETTLED_MS, UNCLAIMED } from "../../src/stores/redis/lua.ts";
import { startRedis } from "../support/servers/redis.ts";
import { until } from "../support/until.ts";

const HOUR = 3_600_000;
const seed = Number(process.env["FC_SEED"] ?? 42);
const runs = Number(process.env["FC_RUNS"] ?? 15);

const server = await startRedis();
const client = new Redis(server.port);
const second = new Redis(server.port);
let prefixes = 0;

afterAll(async () => {
  await Promise.all([client.quit(), second.quit()]);
  await server.close();
});

function fresh(): { readonly prefix: string; readonly store: SessionRedisStore } {
  const prefix = `index ${++prefixes}:`;
  return { prefix, store: new SessionRedisStore({ client, prefix }) };
}

function changeOf(change: Partial<SessionChange>): SessionChange {
  const base = { op: "update", set: new Map(), del: [], ttl: HOUR, deadline: Infinity } as const;
  return { ...base, ...change };
}

async function listed(store: SessionRedisStore, subject: string): Promise<string[]> {
  const found: ListedSession[] = [];
  for await (const session of store.list(subject)) found.push(session);
  return found.map(({ id }) => id).toSorted();
}

/** Waits until the index holds just these sessions: what is given up goes a little later. */
async function settled(index: string, ids: readonly string[]): Promise<void> {
  await until(`the index holds ${ids.join()}`, async () => {
    const members = await client.zrange(index, 0, -1);
    const found = members.map((member) => member.slice(0, member.lastIndexOf(":"))).toSorted();
    return found.join() === ids.toSorted().join();
  });
}

describe("a place in the index", () => {
  test("is claimed at bind, and given up at unbind, rebind and destroy", async () => {
    const { store, prefix } = fresh();
    await store.save("one", changeOf({ op: "create", subject: "alice" }));
    await store.save("two", changeOf({ op: "create" }));
    await store.save("two", changeOf({ rev: 1, subject: "alice" }));
    expect(await listed(store, "alice")).toEqual(["one", "two"]);
    await store.save("one", changeOf({ rev: 1, subject: "bob" }));
    await settled(`${prefix}u:alice`, ["two"]);
    await settled(`${prefix}u:bob`, ["one"]);
    await store.save("one", changeOf({ rev: 2, subject: null }));
    await settled(`${prefix}u:bob`, []);
    await store.save("two", changeOf({ op: "destroy" }));
    await settled(`${prefix}u:alice`, []);
  });

  test("is given up by a bind that is refused", async () => {
    const { store, prefix } = fresh();
    await store.save("one", changeOf({ op: "create" }));
    expect(await store.save("one", changeOf({ rev: 9, subject: "alice" }))).toBeUndefined();
    expect(await store.save("none", changeOf({ rev: 1, subject: "alice" }))).toBeUndefined();
    await settled(`${prefix}u:alice`, []);
  });

  test("outlives its session, and is claimed anew before the session would outlive it", async () => {
    const { store, prefix } = fresh();
    const scores = async (): Promise<number[]> => {
      const pairs = await client.zrange(`${prefix}u:alice`, 0, -1, "WITHSCORES");
      const texts = pairs.filter((_, index) => index % 2 === 1);
      return texts.map((text) => (text === "inf" ? Infinity : Number(text)));
    };
    await store.save("one", changeOf({ op: "create", subject: "alice" }));
    const [first = 0] = await scores();
    const small = await store.save("one", changeOf({ rev: 1, ttl: 2 * HOUR }));
    expect(small?.expires).toBeLessThanOrEqual(first);
    expect(await scores()).toEqual([first]);
    const large = await store.save("one", changeOf({ rev: 1, ttl: 24 * HOUR }));
    await settled(`${prefix}u:alice`, ["one"]);
    const [later = 0] = await scores();
    expect(later).toBeGreaterThanOrEqual(large?.expires ?? Infinity);
    const forever = await store.save("one", changeOf({ rev: 1, ttl: Infinity }));
    expect(forever).toMatchObject({ rev: 1, expires: Infinity });
    await settled(`${prefix}u:alice`, ["one"]);
    expect(await scores()).toEqual([Infinity]);
    expect(await client.pttl(`${prefix}u:alice`)).toBe(-1);
    expect(await client.pttl(`${prefix}s:one`)).toBe(-1);
    // A barrier ends what had no end: the key is the server's to remove again.
    await store.save("one", changeOf({ rev: 1, clear: true, ttl: HOUR }));
    expect(await client.pttl(`${prefix}s:one`)).toBeGreaterThan(0);
  });

  test("never goes past the deadline, and its index goes with the last one", async () => {
    const { store, prefix } = fresh();
    const deadline = Date.now() + 2 * HOUR;
    await store.save("one", changeOf({ op: "create", subject: "alice", ttl: 9 * HOUR, deadline }));
    expect(
      Number(await client.zrange(`${prefix}u:alice`, 0, -1, "WITHSCORES").then(([, at]) => at)),
    ).toBe(deadline);
    expect(await client.pexpiretime(`${prefix}u:alice`)).toBe(deadline + MARGIN_MS);
    // Without an idle timeout of its own to go by, a bind asks the session for its end.
    await store.save("two", changeOf({ op: "create", ttl: 3 * HOUR }));
    const bound = await store.save("two", changeOf({ rev: 1, subject: "bob", ttl: 0 }));
    const [, score] = await client.zrange(`${prefix}u:bob`, 0, -1, "WITHSCORES");
    expect(Number(score)).toBe((bound?.expires ?? 0) + MARGIN_MS);
  });
});

describe("a process that died half-way", () => {
  test("before the commit leaves a place for nobody, which goes when nobody can come any more", async () => {
    const { store, prefix } = fresh();
    const index = `${prefix}u:alice`;
    await store.save("one", changeOf({ op: "create", subject: "alice" }));
    const micros = (msAgo: number): string => `${Date.now() - msAgo}000`;
    await client.zadd(index, Date.now() + HOUR, `young:${micros(1000)}`);
    await client.zadd(index, Date.now() + HOUR, `old:${micros(SETTLED_MS + 60_000)}`);
    await client.zadd(index, Date.now() + HOUR, `one:${micros(SETTLED_MS + 60_000)}`);
    expect(await listed(store, "alice")).toEqual(["one"]);
    await settled(index, ["one", "young"]);
    expect(await store.destroyAll("alice")).toBe(1);
    await settled(index, ["young"]);
  });

  test("and comes back too late for its claim has to claim again", async () => {
    const { prefix, store } = fresh();
    await store.save("one", changeOf({ op: "create" }));
    const late = `${Date.now() - 400_000}000 inf alice`;
    const args = ["u 1 0 inf nonce -s 0", late];
    const answer = await client.eval(commitScript, 1, `${prefix}s:one`, ...args);
    expect(answer).toMatchObject([UNCLAIMED, expect.any(String), "alice"]);
    expect(await client.hexists(`${prefix}s:one`, "u")).toBe(0);
  });

  test("after the commit has lost nothing: what is in the way goes at the next look", async () => {
    const { prefix, store } = fresh();
    await store.save("one", changeOf({ op: "create", subject: "alice" }));
    await client.del(`${prefix}s:one`);
    expect(await listed(store, "alice")).toEqual([]);
    expect(await store.destroyAll("alice")).toBe(0);
  });

  test("ends by the score what nobody ever looks at", async () => {
    const { prefix, store } = fresh();
    const index = `${prefix}u:alice`;
    await client.zadd(index, Date.now() - MARGIN_MS - 1000, "gone:1", Date.now() - 1000, "ended:2");
    await store.save("one", changeOf({ op: "create", subject: "alice" }));
    await settled(index, ["ended", "one"]);
  });
});

test("a bind that waits between claim and commit loses its place to nobody's look", async () => {
  const prefix = `index ${++prefixes}:`;
  let isHeld = false;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const slow = {
    status: "ready",
    pipeline: () => second.pipeline(),
    call: async (name: string, ...args: string[]): Promise<unknown> => {
      if (args.some((arg) => arg === `${prefix}s:one`)) {
        isHeld = true;
        await held;
      }
      return second.call(name, ...args);
    },
  };
  const store = new SessionRedisStore({ client, prefix });
  await store.save("one", changeOf({ op: "create" }));
  const binding = new SessionRedisStore({ client: slow, prefix }).save(
    "one",
    changeOf({ rev: 1, subject: "alice" }),
  );
  await until("the bind waits", () => isHeld);
  expect(await listed(store, "alice")).toEqual([]);
  expect(await store.destroyAll("alice")).toBe(0);
  release();
  await binding;
  expect(await listed(store, "alice")).toEqual(["one"]);
});

test("10,000 sessions of one subject are listed, and ended but one", async () => {
  const { prefix, store } = fresh();
  const ids = Array.from({ length: 10_000 }, (_, index) => `session ${index}`);
  const set = new Map([["a", "1"]]);
  for (let start = 0; start < ids.length; start += 1000) {
    const batch = ids.slice(start, start + 1000);
    await Promise.all(
      batch.map((id) => store.save(id, changeOf({ op: "create", set, subject: "alice" }))),
    );
  }
  expect((await listed(store, "alice")).length).toBe(ids.length);
  expect(await store.destroyAll("alice", { except: "session 17" })).toBe(ids.length - 1);
  expect(await listed(store, "alice")).toEqual(["session 17"]);
  await settled(`${prefix}u:alice`, ["session 17"]);
});

type Act = "bind" | "unbind" | "renew" | "lengthen" | "regenerate" | "destroy" | "list" | "end all";

test("a subject is ended by as many requests as it takes where each may make only so many calls", async () => {
  const { store, prefix } = fresh();
  const ids = Array.from({ length: 450 }, (_, index) => `s${index}`);
  const created = changeOf({ op: "create", subject: "alice" });
  await Promise.all(ids.map((id) => store.save(id, created)));
  let left = 0;
  const limited = Object.assign(Object.create(client) as Redis, {
    call: async (name: string, ...args: string[]): Promise<unknown> => {
      if (--left < 0) throw new Error("Too many subrequests.");
      return client.call(name, ...args);
    },
  });
  const there = new SessionRedisStore({ client: limited, prefix });
  const ends: (number | undefined)[] = [];
  while (ends.length < 6) {
    left = 250;
    ends.push(await there.destroyAll("alice").catch(() => undefined));
  }
  expect(ends.at(-1)).toBe(0);
  expect(await client.exists(ids.map((id) => `${prefix}s:${id}`))).toBe(0);
});

test("whatever races, each live session of a subject is in its index", async () => {
  const acts: Act[] = [
    "bind",
    "unbind",
    "renew",
    "lengthen",
    "regenerate",
    "destroy",
    "list",
    "end all",
  ];
  const actor = fc.array(
    fc.record({
      act: fc.constantFrom(...acts, "bind", "bind", "lengthen"),
      id: fc.constantFrom("one", "two", "three"),
      subject: fc.constantFrom("alice", "bob"),
    }),
    { minLength: 4, maxLength: 10 },
  );
  const property = fc.asyncProperty(
    fc.array(actor, { minLength: 4, maxLength: 8 }),
    async (all) => {
      const prefix = `index ${++prefixes}:`;
      const stores = [client, second].map(
        (each) => new SessionRedisStore({ client: each, prefix }),
      );
      const run = async (steps: (typeof all)[number], store: SessionRedisStore): Promise<void> => {
        for (const { act, id, subject } of steps) {
          if (act === "list") await listed(store, subject);
          else if (act === "end all") await store.destroyAll(subject);
          else if (act === "destroy") await store.save(id, changeOf({ op: "destroy" }));
          else {
            const rev = (await store.load(id))?.rev;
            if (rev === undefined) await store.save(id, changeOf({ op: "create", subject }));
            else if (act === "bind") await store.save(id, changeOf({ rev, subject }));
            else if (act === "unbind") await store.save(id, changeOf({ rev, subject: null }));
            else if (act === "regenerate")
              await store.save(id, changeOf({ rev, bump: true, subject }));
            else await store.save(id, changeOf({ rev, ttl: act === "renew" ? HOUR : 9 * HOUR }));
          }
        }
      };
      await Promise.all(all.map((steps, index) => run(steps, stores[index % 2] ?? fail())));
      const bound: Record<string, string[]> = { alice: [], bob: [] };
      for (const id of ["one", "two", "three"]) {
        const binding = await client.hget(`${prefix}s:${id}`, "u");
        const [claim = "", end = "", subject = ""] = binding?.split(" ") ?? [];
        if (binding === null) continue;
        bound[subject]?.push(id);
        const score = await client.zscore(`${prefix}u:${subject}`, `${id}:${claim}`);
        expect(score).toBe(end);
        const expires = Number((await client.hget(`${prefix}s:${id}`, "h"))?.split(" ")[2]);
        expect(expires).toBeLessThanOrEqual(Number(end));
      }
      for (const [subject, ids] of Object.entries(bound)) {
        expect(await listed(stores[0] ?? fail(), subject)).toEqual(ids.toSorted());
        await settled(`${prefix}u:${subject}`, ids);
      }
    },
  );
  await fc.assert(property, { seed, numRuns: runs });
});

function fail(): never {
  throw new Error("there is no such store");
}
