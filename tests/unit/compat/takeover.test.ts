// Sessions of express-session that become rows of ours: whatever the order in which the calls of
// several requests reach the two stores, and wherever one of them dies, nobody is logged out, nobody
// comes back after a logout, and no write is lost.
import { createHmac } from "node:crypto";
import {
  perRequest,
  SessionMemoryStore,
  SessionMiddleware,
  type SessionStore,
} from "kocha-session";
import { expressSessions, type ForeignRows } from "kocha-session/compat/express-rows";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/errors.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";
import { Clock, makeStore, makeWorld, parseSetCookie } from "../engine/client.ts";

const secret = "keyboard cat";
const until = new Date(Date.UTC(2027, 0, 1));

/** The value that express-session sets. */
function signed(sid: string, key = secret): string {
  const mac = createHmac("sha256", key).update(sid).digest("base64").replace(/=+$/, "");
  return encodeURIComponent(`s:${sid}.${mac}`);
}

/** Rows as express-session's stores have them, behind promises. */
class Rows implements ForeignRows {
  readonly kept = new Map<string, string>();
  isDown = false;
  async load(id: string) {
    if (this.isDown) throw new Error("down");
    return this.kept.get(id);
  }
  async delete(id: string) {
    this.kept.delete(id);
  }
  put(sid: string, data: object): string {
    const cookie = { originalMaxAge: 1000, expires: "2020-01-01T00:00:00.000Z", path: "/" };
    this.kept.set(sid, JSON.stringify({ cookie, ...data }));
    return `connect.sid=${signed(sid)}`;
  }
}

function migrating(more: object = {}, config: object = {}) {
  const rows = new Rows();
  const clock = new Clock();
  const migrateFrom = expressSessions({ secret, rows, until, ...more });
  const world = makeWorld("memory", { migrateFrom, ...config }, clock);
  const cookie = rows.put("one", { user: "alice", passport: { user: 7 } });
  const client = world.newClient();
  client.jar.take([cookie]);
  const names = () => client.jar.cookies.map(({ name }) => name);
  const read = async (header: string) => (await world.engine.open(header)).toObject();
  return { ...world, rows, client, cookie, names, read };
}

describe("a session of express-session", () => {
  test("becomes ours at the first request, and is deleted where it was", async () => {
    const { client, names, rows, events } = migrating();
    await client.request((session) => {
      expect(session.toObject()).toEqual({ user: "alice", passport: '{"user":7}' });
      session.set("a", "1");
    });
    expect(rows.kept.size).toBe(0);
    expect(names()).toEqual(["session"]);
    expect(events()).toEqual(["created", "opened", "committed"]);
    expect(await client.read()).toEqual({ user: "alice", passport: '{"user":7}', a: "1" });
  });

  test("is known by its old cookie until the answer has arrived, and its id stays", async () => {
    const { client, cookie, engine, read } = migrating();
    const first = await engine.open(cookie);
    const { setCookie } = await engine.commit(first);
    // Nobody has looked at it, so nothing is sent.
    expect(setCookie).toEqual([]);
    expect(await read(cookie)).toMatchObject({ user: "alice" });
    await client.request((session) => expect(session.id).toBe(first.id));
  });

  test("isn't reached by its old cookie any more once it was regenerated", async () => {
    const { client, clock, cookie, engine, told } = migrating();
    await client.request((session) => session.regenerate());
    const grace = await engine.open(cookie);
    expect([grace.get("user"), grace.readOnly]).toEqual(["", true]);
    clock.advance(61);
    const late = await engine.open(cookie);
    expect([late.get("user"), late.readOnly]).toEqual(["", false]);
    expect(told.at(-1)).toEqual({ name: "rejected", event: { reason: "retired" } });
    expect(await client.read()).toMatchObject({ user: "alice" });
  });

  test.each([
    ["in the first request", false],
    ["in a later one, beside our ticket", true],
  ])("ends with a logout %s, in both stores and for copies of both cookies", async (_, later) => {
    const { client, cookie, names, read, rows } = migrating();
    if (later) {
      await client.request((session) => session.set("a", "1"));
      client.jar.take([cookie]);
      // As if the response that deleted it had come from a process that died in between.
      rows.put("one", { user: "alice" });
    }
    const copy = client.jar.header ?? "";
    await client.request((session) => session.destroy());
    expect(names()).toEqual([]);
    expect(rows.kept.size).toBe(0);
    expect(await read(copy)).toEqual({});
    expect(await read(cookie)).toEqual({});
  });

  test("isn't opened in the place of one of ours that has ended", async () => {
    const { client, cookie, names, read } = migrating();
    client.jar.clear();
    await client.request((session) => session.set("user", "bob"));
    const ours = client.jar.header ?? "";
    await client.request((session) => session.destroy());
    expect(await read(`${ours}; ${cookie}`)).toEqual({});
    client.jar.take([cookie, ours]);
    await client.request((session) => session.set("user", "carol"));
    expect(names()).toEqual(["session"]);
    expect(await client.read()).toEqual({ user: "carol" });
  });

  test("isn't taken over while nothing is kept in it", async () => {
    const { client, names, rows, engine, events } = migrating();
    const cookie = rows.put("empty", {});
    await engine.open(cookie);
    expect([...rows.kept.keys()]).toEqual(["one", "empty"]);
    expect(events()).toEqual(["rejected"]);
    client.jar.take([cookie]);
    await client.request((session) => session.set("a", "1"));
    expect(names()).toEqual(["session"]);
  });

  test.each([
    ["of another secret", `connect.sid=${signed("one", "another")}`, ["rejected"]],
    ["without a signature", "connect.sid=s%3Aone", ["rejected"]],
    ["unsigned", "connect.sid=one", ["rejected"]],
    ["of another session", `connect.sid=${signed("one").replace("one", "two")}`, ["rejected"]],
    ["of no session", `connect.sid=${signed("gone")}`, ["rejected"]],
    ["of another name", `sid=${signed("one")}`, []],
    ["that is empty", "connect.sid=", ["rejected"]],
  ])("isn't opened by a cookie %s", async (_, header, told) => {
    const { read, rows, events } = migrating();
    expect(await read(header)).toEqual({});
    expect(rows.kept.size).toBe(1);
    expect(events()).toEqual(told);
  });

  test("is opened by each of several secrets, as the same row", async () => {
    for (const list of [["new", secret], [secret], [secret, "new"], [Buffer.from(secret)]]) {
      const { cookie, engine, client } = migrating({ secret: list });
      const { id } = await engine.open(cookie);
      expect(id).toBe((await migrating().engine.open(cookie)).id);
      expect(await client.read()).toMatchObject({ user: "alice" });
    }
  });

  test("with a dot in its id is split at the last one", async () => {
    const { read, rows } = migrating();
    expect(await read(rows.put("a.b.c", { user: "dot" }))).toEqual({ user: "dot" });
  });

  test("isn't read any more from `until` on", async () => {
    const { clock, cookie, read, rows } = migrating();
    clock.advance((until.getTime() - clock.now()) / 1000);
    expect(await read(cookie)).toEqual({});
    expect(rows.kept.size).toBe(1);
  });

  test("whose row is no JSON object isn't one, and is left alone", async () => {
    const { cookie, read, rows, told } = migrating();
    for (const row of ["[]", "{", "null", "1", ""]) {
      rows.kept.set("one", row);
      expect(await read(cookie)).toEqual({});
      expect(rows.kept.size).toBe(1);
    }
    expect(told.filter(({ event }) => event["reason"] === "malformed")).toHaveLength(5);
  });

  test("comes without what a session can't hold, which is told", async () => {
    const { read, rows, told } = migrating();
    const cookie = rows.put("odd", { "_flash.a": "x", ok: "1" });
    expect(await read(cookie)).toEqual({ ok: "1" });
    expect(told.find(({ name }) => name === "skipped")?.event["keys"]).toEqual(["_flash.a"]);
  });

  test("may have had the name of our cookie", async () => {
    const { client, names } = migrating({}, { name: "connect.sid" });
    await client.request((session) => expect(session.get("user")).toBe("alice"));
    expect(names()).toEqual(["connect.sid"]);
    expect(await client.read()).toMatchObject({ user: "alice" });
  });

  test.each([
    ["fail", {}],
    ["anonymous", { onStoreError: "anonymous" }],
  ])("is no lost session while its store is down: onStoreError %s", async (how, config) => {
    const { cookie, engine, rows, read } = migrating({}, config);
    rows.isDown = true;
    const opened = await Promise.resolve(engine.open(cookie)).then(
      (session) => session.readOnly,
      (error: unknown) => (error as { code: string }).code,
    );
    expect(opened).toBe(how === "fail" ? "ERR_SESSION_STORE_FAILED" : true);
    rows.isDown = false;
    expect(await read(cookie)).toMatchObject({ user: "alice" });
  });
});

/**
 * Lets the calls of several requests through one at a time, in an order of a seed: mostly those of the
 * request that is first just now, so that others stand still for long.
 */
class Schedule {
  readonly #waiting: { readonly request: number; readonly go: () => void }[] = [];
  readonly #ranks: number[] = [];
  #seed: number;
  #failAt = Infinity;
  #turns = 0;

  constructor(seed: number, fails: boolean) {
    this.#seed = seed;
    if (fails) this.#failAt = this.pick(12);
  }

  /** A number from 0 to `below`. */
  pick(below: number): number {
    // Park and Miller's minimal standard generator.
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed % below;
  }

  async #turn(request: number): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push({ request, go: resolve }));
    if (this.#turns++ === this.#failAt) throw new Error("the process has died");
  }

  /** Goes on until all requests have ended. */
  async run<T>(requests: readonly Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
    const progress = { isDone: false };
    const all = Promise.allSettled(requests).finally(() => {
      progress.isDone = true;
    });
    while (!progress.isDone) {
      await new Promise(setImmediate);
      const [first] = this.#waiting.toSorted((one, other) => this.#rank(one) - this.#rank(other));
      if (first === undefined) continue;
      this.#waiting.splice(this.#waiting.indexOf(first), 1);
      if (this.pick(6) === 0) this.#ranks[first.request] = this.pick(1000);
      first.go();
    }
    return all;
  }

  #rank({ request }: { readonly request: number }): number {
    return (this.#ranks[request] ??= this.pick(1000));
  }

  /** The object with a turn before and behind each of these calls of a request. */
  through<T extends object>(target: T, methods: readonly (keyof T)[], request: number): T {
    const wrapped = Object.create(target) as T;
    for (const name of methods) {
      const method = target[name] as (...args: unknown[]) => unknown;
      Object.defineProperty(wrapped, name, {
        value: async (...args: unknown[]) => {
          await this.#turn(request);
          const answer = await method.apply(target, args);
          await this.#turn(request);
          return answer;
        },
      });
    }
    return wrapped;
  }
}

describe("whatever the order of their calls", () => {
  const ROUNDS = 100;
  const signingKey = freshKey();

  function start(seed: number, fails: boolean) {
    const schedule = new Schedule(seed, fails);
    const rows = new Rows();
    const cookie = rows.put("one", { user: "alice" });
    const store = new SessionMemoryStore();
    const migrateFrom = expressSessions({ secret, rows, until: new Date(Date.now() + 60_000) });
    // Each request in a process of its own.
    let requests = 0;
    const engine = () => {
      const number = requests++;
      return new SessionMiddleware({
        store: schedule.through<SessionStore>(store, ["load", "save"], number),
        signingKey,
        migrateFrom: expressSessions({
          secret,
          rows: schedule.through<ForeignRows>(rows, ["load", "delete"], number),
          until: new Date(Date.now() + 60_000),
        }),
      });
    };
    const calm = new SessionMiddleware({ store, signingKey, migrateFrom });
    const sent: string[] = [];
    const request = async (
      act: (session: Awaited<ReturnType<typeof calm.open>>) => unknown,
      header: string = cookie,
    ) => {
      const own = engine();
      const session = await own.open(header);
      await act(session);
      const { setCookie } = await own.commit(session);
      for (const one of setCookie.map(parseSetCookie)) {
        if (one.name === "session" && one.value !== "") sent.push(`session=${one.value}`);
      }
    };
    const read = async (header: string) => (await calm.open(header)).toObject();
    /** A client's Cookie header with our ticket, whose old session an old process has written once more. */
    const takenOver = async () => {
      const session = await calm.open(cookie);
      session.set("a", "1");
      const [ours = ""] = (await calm.commit(session)).setCookie;
      rows.put("one", { user: "alice" });
      return `${ours.split(";", 1)[0]}; ${cookie}`;
    };
    return { schedule, rows, cookie, sent, request, read, takenOver };
  }

  test("no first request loses another one's write, or its session", async () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const { schedule, rows, cookie, request, read } = start(seed, false);
      const keys = ["a", "b", "c"];
      const done = await schedule.run(keys.map((key) => request((one) => one.set(key, "1"))));
      expect(done.map(({ status }) => status)).toEqual(keys.map(() => "fulfilled"));
      expect([seed, await read(cookie)]).toEqual([seed, { user: "alice", a: "1", b: "1", c: "1" }]);
      expect(rows.kept.size).toBe(0);
    }
  });

  test("nobody is logged out by a process that dies in between", async () => {
    let died = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const { schedule, rows, cookie, sent, request, read } = start(seed, true);
      const looks = [1, 2].map(() => request((session) => session.get("user")));
      const done = await schedule.run(looks);
      died += done.filter(({ status }) => status === "rejected").length;
      for (const header of [...sent, cookie]) {
        expect([seed, header, await read(header)]).toEqual([seed, header, { user: "alice" }]);
      }
      expect(rows.kept.size).toBe(0);
    }
    expect(died).toBeGreaterThan(ROUNDS / 2);
  });

  test.each([
    ["all processes live", false],
    ["one dies", true],
  ])("nothing comes back after a logout, where %s", async (_, fails) => {
    let loggedOut = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const { schedule, cookie, sent, request, read } = start(seed, fails);
      const writes = ["a", "b"].map((key) => request((session) => session.set(key, "1")));
      const logout = request((session) => session.destroy());
      const done = await schedule.run([...writes, logout]);
      if (done.at(-1)?.status !== "fulfilled") continue;
      loggedOut++;
      for (const header of [...sent, cookie]) {
        expect([seed, await read(header)]).not.toEqual([
          seed,
          expect.objectContaining({ user: "alice" }),
        ]);
      }
    }
    expect(loggedOut).toBeGreaterThan(ROUNDS / 4);
  });

  test("nothing comes back after a logout by our ticket, beside which the old cookie comes", async () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const { schedule, cookie, sent, request, read, takenOver } = start(seed, false);
      const both = await takenOver();
      const look = request((session) => session.get("user"));
      const logout = request((session) => session.destroy(), both);
      const done = await schedule.run([look, logout]);
      expect(done.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
      for (const header of [...sent, both, cookie]) {
        expect([seed, await read(header)]).toEqual([seed, {}]);
      }
    }
  });
});

describe("settings that are wrong", () => {
  const rows = new Rows();
  test.each<[string, () => unknown, string]>([
    ["no secret", () => expressSessions({ secret: undefined, rows, until }), "secret"],
    ["an empty list", () => expressSessions({ secret: [], rows, until }), "secret"],
    ["no rows", () => expressSessions({ secret, until } as never), "rows"],
    [
      "a client for rows",
      () => expressSessions({ secret, rows: { get: 1 } as never, until }),
      "rows",
    ],
    ["no until", () => expressSessions({ secret, rows } as never), "until"],
    ["a name", () => expressSessions({ secret, rows, until, name: "a;b" }), "name"],
    ["something else", () => makeWorld("memory", { migrateFrom: {} as never }), "migrateFrom"],
    [
      "with a cookie store",
      () => {
        const migrateFrom = expressSessions({ secret, rows, until });
        return new SessionMiddleware({
          store: makeStore("cookie", new Clock(), freshKeys()),
          migrateFrom,
        });
      },
      "migrateFrom",
    ],
    [
      "with a store for each request",
      () => {
        const migrateFrom = expressSessions({ secret, rows, until });
        return makeWorld(
          perRequest(() => new SessionMemoryStore()),
          { migrateFrom },
        );
      },
      "migrateFrom",
    ],
  ])("%s is an error that names the field", (_, make, field) => {
    const error = thrownBy(make);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).field).toBe(field);
  });
});
