// What stays as it is with express-session, and what a request may count on besides: races, logouts, ends
// of sessions, streams, limits, and how often a store is asked.
import type { ServerResponse } from "node:http";
import originalSession from "express-session";
import { type SessionObservers, SessionMemoryStore } from "kocha-session";
import session, { type SessionOptions } from "kocha-session/compat/express-session";
import { describe, expect, test } from "vitest";
import { slowly } from "../../support/latency.ts";
import { type Handler, routes, serve, sidIn, slowStore, stores } from "./server.ts";

const login: Handler = ({ session: bag }, response) => {
  bag["user"] = "alice";
  response.end();
};

const codeOf = (error: unknown): string => (error as { code: string }).code;

/** Two steps that wait for each other. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe.each(Object.entries(stores))("with %s", (_, makeStore) => {
  const lazy = { resave: false, saveUninitialized: false };

  test("keeps all of 20 parallel writes", async () => {
    const arrived = gate();
    let waiting = 0;
    const { client } = await serve(
      { ...lazy, store: makeStore() },
      routes({
        "/login": login,
        "/write": async ({ session: bag, url = "" }, response) => {
          if (++waiting === 20) arrived.open();
          await arrived.opened;
          bag[`key${url.split("?")[1]}`] = true;
          response.end();
        },
      }),
    );
    const get = client();
    await get("/login");
    await Promise.all(Array.from({ length: 20 }, (__, index) => get(`/write?${index}`)));
    const names = Object.keys(JSON.parse((await get()).body) as object);
    expect(names.filter((name) => name.startsWith("key"))).toHaveLength(20);
  });

  test("a request that began before a logout doesn't bring the session back", async () => {
    const [arrived, left] = [gate(), gate()];
    let waiting = 0;
    const refused: string[] = [];
    const failed: string[] = [];
    const { client } = await serve(
      { ...lazy, store: makeStore(), on: { refused: ({ reason }) => void refused.push(reason) } },
      routes({
        "/login": login,
        "/slow": async ({ session: bag, url = "" }, response) => {
          if (++waiting === 2) arrived.open();
          await left.opened;
          bag["late"] = true;
          if (url.includes("save")) {
            await bag.save().catch((error: unknown) => void failed.push(codeOf(error)));
          }
          response.end();
        },
        "/logout": (request, response) => request.session.destroy(() => response.end()),
      }),
    );
    const get = client();
    await get("/login");
    const cookie = get.cookie;
    const slow = [get("/slow"), get("/slow?save")];
    await arrived.opened;
    await get("/logout");
    left.open();
    for (const { status, setCookies } of await Promise.all(slow)) {
      expect([status, setCookies]).toEqual([200, []]);
    }
    get.cookie = cookie;
    expect(Object.keys(JSON.parse((await get()).body) as object)).toEqual(["cookie"]);
    expect(refused).toContain("stale");
    expect(failed).toEqual(["ERR_SESSION_CONFLICT_STALE"]);
  });

  test("a shorter maxAge shortens a session, a longer one lengthens it, in the store and the cookie", async () => {
    const { client } = await serve(
      { ...lazy, store: makeStore(), cookie: { maxAge: 60_000 } },
      routes({
        "/login": login,
        "/maxAge": ({ session: bag, url = "" }, response) => {
          bag.cookie.maxAge = Number(url.split("?")[1]);
          bag["asked"] = url;
          response.end();
        },
        "/left": ({ session: bag }, response) => response.end(JSON.stringify(bag.cookie)),
      }),
    );
    const get = client();
    await get("/login");
    const left = async (): Promise<readonly [number, number]> => {
      const cookie = JSON.parse((await get("/left")).body) as {
        originalMaxAge: number;
        expires: string;
      };
      const { originalMaxAge, expires } = cookie;
      return [originalMaxAge, Math.round((new Date(expires).getTime() - Date.now()) / 10_000)];
    };
    expect(await left()).toEqual([60_000, 6]);
    for (const maxAge of [30_000, 3_600_000, 20_000]) {
      const { setCookies, headers } = await get(`/maxAge?${maxAge}`);
      const expires = Date.parse(/Expires=([^;]+)/.exec(setCookies[0] ?? "")?.[1] ?? "");
      const date = Date.parse(headers.get("date") ?? "");
      expect(Math.abs(expires - date - maxAge)).toBeLessThanOrEqual(1000);
      expect(await left()).toEqual([maxAge, maxAge / 10_000]);
    }
  });

  test.each<[null | undefined | false]>([[null], [undefined], [false]])(
    "cookie.maxAge and expires = %s make a browser-session cookie",
    async (end) => {
      const { client } = await serve(
        { store: makeStore(), cookie: { maxAge: 60_000 } },
        routes({
          "/maxAge": ({ session: bag }, response) => {
            bag.cookie.maxAge = end as null;
            login({ session: bag } as never, response, () => undefined);
          },
          "/expires": ({ session: bag }, response) => {
            bag.cookie.expires = end;
            login({ session: bag } as never, response, () => undefined);
          },
          "/new": ({ session: bag }, response) => {
            bag.cookie = new session.Cookie({ maxAge: 120_000, sameSite: "strict" });
            bag["n"] = 1;
            response.end();
          },
        }),
      );
      for (const path of ["/maxAge", "/expires"]) {
        const get = client();
        const { setCookies } = await get(path);
        expect(setCookies[0]).not.toContain("Expires");
        const { user, cookie } = JSON.parse((await get()).body) as {
          user: string;
          cookie: { expires?: unknown };
        };
        expect([user, cookie.expires ?? false]).toEqual(["alice", false]);
        // A new Cookie in its place counts with all its attributes.
        const changed = await get("/new");
        expect(changed.setCookies[0]).toMatch(/Expires=.*SameSite=Strict/);
        expect(JSON.parse((await get()).body)).toMatchObject({
          cookie: { originalMaxAge: 120_000 },
        });
      }
    },
  );

  test("what changes after the first byte is saved before the response has ended", async () => {
    const { client } = await serve(
      { ...lazy, store: makeStore() },
      routes({
        "/login": login,
        "/stream": async ({ session: bag }, response) => {
          response.write("data: 1\n\n");
          bag["first"] = 1;
          await bag.save();
          response.write("data: 2\n\n");
          bag["last"] = 2;
          response.end("end");
        },
        "/logout": (request, response) => {
          response.write("bye");
          void request.session.destroy();
          response.end();
        },
      }),
    );
    const get = client();
    await get("/login");
    for (let round = 0; round < 3; round++) {
      expect((await get("/stream")).body).toBe("data: 1\n\ndata: 2\n\nend");
      expect(JSON.parse((await get()).body)).toMatchObject({ user: "alice", first: 1, last: 2 });
    }
    await get("/logout");
    expect(Object.keys(JSON.parse((await get()).body) as object)).toEqual(["cookie"]);
  });

  test("a new session that changes only after its response's head isn't saved, and observers are told", async () => {
    const refused: string[] = [];
    const { client } = await serve(
      { ...lazy, store: makeStore(), on: { refused: ({ reason }) => void refused.push(reason) } },
      routes({
        "/stream": async ({ session: bag }, response) => {
          response.write("x");
          bag["late"] = 1;
          const error = await bag.save().catch(codeOf);
          const gone = await bag.regenerate().catch(codeOf);
          response.end(JSON.stringify([error, gone]));
        },
      }),
    );
    const get = client();
    const { body, setCookies } = await get("/stream");
    expect(setCookies).toEqual([]);
    const code = "ERR_SESSION_USAGE_HEADERS_SENT";
    expect(body).toBe(`x${JSON.stringify([code, code])}`);
    expect(refused).toEqual(["uncarried"]);
  });

  test("a dead sid gets no new cookie unless something is written", async () => {
    const { client } = await serve(
      { ...lazy, store: makeStore() },
      routes({
        "/login": login,
        "/logout": (request, response) => request.session.destroy(() => response.end()),
      }),
    );
    const get = client();
    await get("/login");
    const cookie = get.cookie;
    await get("/logout");
    expect((await get()).setCookies).toEqual([]);
    expect((await get("/login")).setCookies).toHaveLength(1);
    expect(sidIn(get.cookie)).not.toBe(sidIn(cookie));
  });

  test("takes a megabyte, and refuses more by name, with nothing saved of it", async () => {
    const { client } = await serve(
      { ...lazy, store: makeStore() },
      routes({
        "/login": login,
        "/fill": ({ session: bag, url = "" }, response) => {
          bag["filler"] = "x".repeat(Number(url.split("?")[1]));
          response.end();
        },
      }),
    );
    const get = client();
    await get("/login");
    expect((await get("/fill?1000000")).status).toBe(200);
    expect((await get()).body).toHaveLength((await get()).body.length);
    const over = await get("/fill?1100000");
    expect([over.status, over.body]).toEqual([
      500,
      expect.stringContaining("maxSessionBytes 1048576"),
    ]);
    expect((JSON.parse((await get()).body) as { filler: string }).filler).toHaveLength(1_000_000);
  });

  test("a session that is stored although it is new has its cookie on the first response", async () => {
    const { client } = await serve({ store: makeStore(), saveUninitialized: true }, routes({}));
    const get = client();
    expect((await get()).setCookies).toHaveLength(1);
    expect((await get()).setCookies).toEqual([]);
  });
});

describe("a store for express-session", () => {
  /** The names of the calls, in their order. */
  function counted(): { readonly store: originalSession.Store; readonly calls: string[] } {
    const calls: string[] = [];
    const store = slowStore();
    const table = store as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of ["get", "set", "destroy", "touch"]) {
      const call = table[name] as (...args: unknown[]) => unknown;
      table[name] = (...args) => {
        calls.push(name);
        return call.apply(store, args);
      };
    }
    return { store, calls };
  }

  test("isn't asked before a create, is renewed by touch, and written only for a change", async () => {
    const { store, calls } = counted();
    const { client } = await serve(
      { store, resave: true, saveUninitialized: false, cookie: { maxAge: 60_000 } },
      routes({ "/login": login }),
    );
    const get = client();
    await get();
    expect(calls).toEqual([]);
    await get("/login");
    expect(calls).toEqual(["set"]);
    calls.length = 0;
    await get();
    await get("/login");
    expect(calls.filter((call) => call !== "get")).toEqual(["touch", "touch"]);
  });

  test("gives living rows, whatever their JSON says of an end", async () => {
    const store = slowStore();
    const { client } = await serve(
      { store, resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } },
      routes({ "/login": login }),
    );
    const get = client();
    await get("/login");
    const rows = store as unknown as { sessions: Record<string, string> };
    const [sid = ""] = Object.keys(rows.sessions);
    const row = JSON.parse(rows.sessions[sid] ?? "") as { cookie: { expires: string } };
    row.cookie.expires = "2001-01-01T00:00:00.000Z";
    // As connect-redis does, whose touch moves only the key's end.
    (store as { get: unknown }).get = (_: string, done: (error: null, row: unknown) => void) =>
      done(null, row);
    expect(JSON.parse((await get()).body)).toMatchObject({ user: "alice" });
  });

  test("has rows that express-session itself reads, and the same cookie", async () => {
    const store = slowStore();
    const options = { secret: "one secret for both, and long enough", store };
    const settings = { resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } };
    const handler = routes({ "/login": login });
    const { client } = await serve({ ...options, ...settings }, handler);
    const { default: express } = await import("express");
    const { listen } = await import("../../support/listen.ts");
    const app = express();
    app.use(originalSession({ ...options, ...settings }));
    app.use((request, response) => void response.json(request.session));
    const { url, close } = await listen(app);
    const get = client();
    await get("/login");
    const theirs = await fetch(url, { headers: { cookie: get.cookie } });
    expect(await theirs.json()).toMatchObject({
      user: "alice",
      cookie: { originalMaxAge: 60_000 },
    });
    expect(theirs.headers.getSetCookie()).toEqual([]);
    await close();
  });
});

test.each([
  ["before the head", () => undefined],
  // What comes later is saved at the response's end.
  ["behind the head", (response: ServerResponse) => void response.write("begun")],
])("an observer is told of a property that overwrote a newer value, %s", async (_, begin) => {
  const overwritten: (readonly string[])[] = [];
  const on: SessionObservers = { overwritten: ({ keys }) => void overwritten.push(keys) };
  const [arrived, left] = [gate(), gate()];
  const options: SessionOptions = { store: slowly(new SessionMemoryStore()), on };
  const { client } = await serve(
    options,
    routes({
      "/login": login,
      "/slow": async ({ session: bag }, response) => {
        begin(response);
        arrived.open();
        await left.opened;
        Object.assign(bag, { n: "slow", other: "slow" });
        response.end();
      },
      "/fast": ({ session: bag }, response) => {
        bag["n"] = "fast";
        response.end();
      },
    }),
  );
  const get = client();
  await get("/login");
  const slow = get("/slow");
  await arrived.opened;
  await get("/fast");
  left.open();
  await slow;
  expect(JSON.parse((await get()).body)).toMatchObject({ n: "slow" });
  expect(overwritten).toEqual([["n"]]);
});

test("no observer is told of a value of the request's own that its store spells otherwise", async () => {
  const overwritten: (readonly string[])[] = [];
  const on: SessionObservers = { overwritten: ({ keys }) => void overwritten.push(keys) };
  const store = new originalSession.MemoryStore();
  const set = store.set.bind(store);
  // As in a column of jsonb, which has its own order.
  store.set = (sid, row, done) => {
    const { id, name } = (row as unknown as { user: Record<string, unknown> }).user;
    set(sid, { ...row, user: { id, name } } as typeof row, done);
  };
  const { client } = await serve(
    { store: slowStore(store), on },
    routes({
      "/late": async ({ session: bag }, response) => {
        bag["user"] = { name: "alice", id: 1 };
        await new Promise((resolve) => response.write("begun", resolve));
        bag["user"] = { name: "bob", id: 1 };
        response.end();
      },
    }),
  );
  const get = client();
  await get("/late");
  expect(JSON.parse((await get()).body)).toMatchObject({ user: { name: "bob", id: 1 } });
  expect(overwritten).toEqual([]);
});
