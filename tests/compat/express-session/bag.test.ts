// What applications of express-session do with `req.session`, on the drop-in in its place.
import session, { type Session } from "kocha-session/compat/express-session";
import { describe, expect, test } from "vitest";
import { routes, serve, sidIn, stores } from "./server.ts";

type Values = Record<string, unknown>;
/** The values of a session, without its cookie. */
const data = (body: string): Values => {
  const values = JSON.parse(body) as Values;
  delete values["cookie"];
  return values;
};

describe.each(Object.entries(stores))("with %s", (_, makeStore) => {
  const start = (table: Parameters<typeof routes>[0], options: object = {}) =>
    serve(
      { store: makeStore(), resave: false, saveUninitialized: false, ...options },
      routes(table),
    );

  test("keeps JSON values, changed in place or by name, until they are removed", async () => {
    const { client } = await start({
      "/set": ({ session: bag }, response) => {
        Object.assign(bag, {
          user: { name: "alice", roles: ["a"] },
          n: 1,
          none: null,
          text: "ü\ud83d\ude00",
        });
        response.end();
      },
      "/change": ({ session: bag }, response) => {
        (bag["user"] as { roles: string[] }).roles.push("b");
        bag["n"] = (bag["n"] as number) + 1;
        response.end();
      },
      "/remove": ({ session: bag }, response) => {
        delete bag["n"];
        bag["text"] = undefined;
        response.end();
      },
    });
    const get = client();
    const first = await get("/set");
    expect(first.setCookies).toHaveLength(1);
    await get("/change");
    const user = { name: "alice", roles: ["a", "b"] };
    expect(data((await get()).body)).toEqual({ user, n: 2, none: null, text: "ü\ud83d\ude00" });
    await get("/remove");
    expect(data((await get()).body)).toEqual({ user, none: null });
  });

  test("shows only data to Object.keys, spread, for-in and JSON.stringify", async () => {
    const { client } = await start({
      "/": ({ session: bag }, response) => {
        bag["user"] = "alice";
        const named: string[] = [];
        for (const name in bag) named.push(name);
        // oxlint-disable-next-line typescript/no-misused-spread -- applications do it
        const seen = [Object.keys(bag), Object.keys({ ...bag }), named];
        response.end(
          JSON.stringify([...seen, Object.keys(JSON.parse(JSON.stringify(bag)) as object)]),
        );
      },
    });
    const get = client();
    const names = ["cookie", "user"];
    for (let visit = 0; visit < 2; visit++) {
      const seen = JSON.parse((await get()).body) as string[][];
      expect(seen.map((one) => one.toSorted())).toEqual([names, names, names, names]);
    }
  });

  test("regenerates into a new object and a new sid, and the old one's data stays readable", async () => {
    const { client } = await start({
      "/begin": ({ session: bag }, response) => {
        bag["cart"] = ["apple"];
        response.end();
      },
      "/callback": (request, response) => {
        const old = request.session;
        old.regenerate((error) => {
          const { session: fresh } = request;
          const seen = [
            error ?? null,
            fresh !== old,
            old["cart"],
            fresh["cart"] ?? null,
            fresh.id !== old.id,
          ];
          fresh["user"] = "alice";
          fresh.save(() => response.end(JSON.stringify(seen)));
        });
      },
      "/promise": async (request, response) => {
        await request.session.regenerate();
        request.session["user"] = "bob";
        await request.session.save();
        response.end();
      },
    });
    const get = client();
    await get("/begin");
    const before = get.cookie;
    const { body } = await get("/callback");
    expect(JSON.parse(body)).toEqual([null, true, ["apple"], null, true]);
    expect(sidIn(get.cookie)).not.toBe(sidIn(before));
    expect(data((await get()).body)).toEqual({ user: "alice" });
    const stale = client();
    stale.cookie = before;
    expect(data((await stale()).body)).toEqual({});
    await get("/promise");
    expect(data((await get()).body)).toEqual({ user: "bob" });
  });

  test("destroys with and without a callback, and sets no cookie for it", async () => {
    const { client } = await start({
      "/begin": ({ session: bag }, response) => {
        bag["user"] = "alice";
        response.end();
      },
      "/callback": (request, response) => {
        request.session.destroy((error) =>
          response.end(error === undefined ? typeof request.session : "failed"),
        );
      },
      "/none": (request, response) => {
        void request.session.destroy();
        response.end();
      },
      "/promise": async (request, response) => {
        await request.session.destroy();
        response.end();
      },
    });
    for (const path of ["/callback", "/none", "/promise"]) {
      const get = client();
      await get("/begin");
      const { setCookies, body } = await get(path);
      expect([setCookies, body]).toEqual([[], path === "/callback" ? "undefined" : ""]);
      expect(data((await get()).body)).toEqual({});
    }
  });

  test("saves before a redirect leaves, and after `save` has answered", async () => {
    const { client } = await start({
      "/save": ({ session: bag, sessionStore, sessionID }, response) => {
        bag["user"] = "alice";
        bag.save(() => {
          sessionStore.get(sessionID, (_error, stored) => response.end(String(stored?.["user"])));
        });
      },
      "/redirect": ({ session: bag }, response) => {
        bag["n"] = 2;
        response.writeHead(302, { location: "/" }).end();
      },
    });
    const get = client();
    expect((await get("/save")).body).toBe("alice");
    await get("/redirect");
    expect(data((await get()).body)).toEqual({ user: "alice", n: 2 });
  });

  test("reloads what another request has saved, and says when there is nothing", async () => {
    const { client, url } = await start({
      "/set": ({ session: bag }, response) => {
        bag["n"] = 1;
        response.end();
      },
      "/reload": async (request, response) => {
        const old = request.session;
        old["n"] = "unsaved";
        await fetch(`${url}/raise`, { headers: { cookie: request.headers.cookie ?? "" } });
        await old.reload();
        response.end(JSON.stringify([request.session !== old, request.session["n"]]));
      },
      "/raise": ({ session: bag }, response) => {
        bag["n"] = 2;
        response.end();
      },
      "/gone": (request, response) => {
        const { sessionStore, sessionID } = request;
        sessionStore.destroy(sessionID, () => {
          request.session.reload((error) => response.end((error as Error).message));
        });
      },
    });
    const get = client();
    await get("/set");
    expect(JSON.parse((await get("/reload")).body)).toEqual([true, 2]);
    expect(data((await get()).body)).toEqual({ n: 2 });
    expect((await get("/gone")).body).toContain("failed to load session");
    expect(data((await get()).body)).toEqual({});
  });

  test.each([
    ["keep", { user: "alice" }],
    ["destroy", {}],
  ] as const)("by unset %j, null and delete don't crash", async (unset, kept) => {
    const away =
      (take: (request: { session: unknown }) => unknown) =>
      (request: { session: Session }, response: { end: () => unknown }): void => {
        request.session["lost"] = true;
        take(request);
        response.end();
      };
    const { client } = await start(
      {
        "/set": ({ session: bag }, response) => {
          bag["user"] = "alice";
          response.end();
        },
        "/null": away((request) => (request.session = null)),
        "/delete": away((request) => delete request.session),
      },
      { unset },
    );
    for (const path of ["/null", "/delete"]) {
      const get = client();
      await get("/set");
      expect(await get(path)).toMatchObject({ status: 200, setCookies: [] });
      expect(data((await get()).body)).toEqual(kept);
    }
  });

  test("gives its store: sessions are got, ended and renewed by their sids", async () => {
    const { client } = await start({
      "/set": ({ session: bag, sessionID }, response) => {
        bag["user"] = "alice";
        response.end(sessionID);
      },
      "/get": ({ sessionStore, url = "" }, response) => {
        sessionStore.get(url.split("?")[1] ?? "", (error, stored) =>
          response.end(JSON.stringify(error ?? stored?.["user"] ?? null)),
        );
      },
      "/load": ({ sessionStore, url = "" }, response) => {
        sessionStore.load(url.split("?")[1] ?? "", (__, loaded) => {
          response.end(JSON.stringify([loaded instanceof session.Session, loaded?.["user"]]));
        });
      },
      "/end": ({ sessionStore, url = "" }, response) => {
        sessionStore.destroy(url.split("?")[1] ?? "", (error) =>
          response.end(error ? "failed" : "ended"),
        );
      },
    });
    const [alice, admin] = [client(), client()];
    const { body: sid } = await alice("/set");
    expect((await admin(`/get?${sid}`)).body).toBe('"alice"');
    expect((await admin("/get?nobody")).body).toBe("null");
    const { body } = await admin(`/load?${sid}`);
    // A store of express-session's own makes its own sessions.
    expect(JSON.parse(body)).toEqual([expect.any(Boolean), "alice"]);
    expect((await admin(`/end?${sid}`)).body).toBe("ended");
    expect(data((await alice()).body)).toEqual({});
  });

  test("a session that was saved by one server is another one's, by the same secret and store", async () => {
    const store = makeStore() ?? new session.MemoryStore();
    const handler = routes({
      "/set": ({ session: bag }, response) => {
        bag["user"] = "alice";
        response.end();
      },
    });
    const [one, other] = [await serve({ store }, handler), await serve({ store }, handler)];
    const get = one.client();
    await get("/set");
    const there = other.client();
    there.cookie = get.cookie;
    expect(data((await there()).body)).toEqual({ user: "alice" });
  });
});
