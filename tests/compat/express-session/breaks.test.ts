// What careless applications, failing stores and colliding ids do to a session.
import originalSession from "express-session";
import dropIn from "kocha-session/compat/express-session";
import { describe, expect, test } from "vitest";
import { type Handler, routes, SECRET, serve, slowStore, stores } from "./server.ts";

describe.each(Object.entries(stores))("%s", (_, store) => {
  test("a new session that is saved and reloaded in one request has its cookie", async () => {
    const { client } = await serve(
      { store: store(), saveUninitialized: false },
      routes({
        "/login": async ({ session }, response) => {
          session["user"] = "ann";
          await session.save();
          await session.reload();
          response.end("in");
        },
      }),
    );
    const browser = client();
    await browser("/login");
    const { body } = await browser("/");
    expect(JSON.parse(body)).toMatchObject({ user: "ann" });
  });
});

/** A store for express-session whose next calls of `set` fail, as many as `failures` says. */
class FailingStore extends originalSession.MemoryStore {
  failures = 0;

  override set(sid: string, row: originalSession.SessionData, done?: (error?: unknown) => void) {
    if (this.failures === 0) return super.set(sid, row, done);
    this.failures -= 1;
    done?.(new Error("down"));
    return undefined;
  }
}

test.each(["/new", "/known"])(
  "a save that answers has saved, though one before it failed: %s",
  async (path) => {
    const store = new FailingStore();
    const outcomes: unknown[] = [];
    const { client } = await serve(
      { store: slowStore(store), saveUninitialized: false },
      routes({
        "/login": ({ session }, response) => {
          session["user"] = "ann";
          response.end();
        },
        [path]: async ({ session }, response) => {
          store.failures = 1;
          session["x"] = 1;
          const first = session.save();
          session["y"] = 2;
          const second = session.save().then(
            () =>
              Object.values(
                (store as unknown as { sessions: Record<string, string> }).sessions,
              ).join(),
            () => "refused",
          );
          outcomes.push(...(await Promise.allSettled([first, second])));
          response.end();
        },
      }),
    );
    const browser = client();
    if (path === "/known") await browser("/login");
    await browser(path);
    expect(outcomes[0]).toMatchObject({ status: "rejected" });
    const { value } = outcomes[1] as { value: string };
    expect(value === "refused" || (value.includes('"x":1') && value.includes('"y":2'))).toBe(true);
  },
);

test("a new session whose id is another one's gets an id and a cookie of its own", async () => {
  for (const makeStore of Object.values(stores)) {
    const ids = ["one", "one", "two"];
    const seen: string[] = [];
    const { client } = await serve(
      { store: makeStore(), saveUninitialized: false, genid: () => ids.shift() ?? "none" },
      routes({
        "/ann": ({ session }, response) => {
          session["user"] = "ann";
          response.end();
        },
        "/bob": async (request, response) => {
          request.session["user"] = "bob";
          await request.session.save();
          seen.push(request.sessionID, request.session.id);
          response.end();
        },
      }),
    );
    const [ann, bob] = [client(), client()];
    await ann("/ann");
    await bob("/bob");
    expect(JSON.parse((await ann()).body)).toMatchObject({ user: "ann" });
    expect(JSON.parse((await bob()).body)).toMatchObject({ user: "bob" });
    expect(seen).toEqual(["two", "two"]);
  }
});

test("a new session whose id is another one's, saved by the response, has its own cookie", async () => {
  for (const makeStore of Object.values(stores)) {
    const ids = ["one", "one", "two"];
    const { client } = await serve(
      { store: makeStore(), saveUninitialized: false, genid: () => ids.shift() ?? "none" },
      (request, response) => {
        request.session["path"] ??= request.url;
        response.end(request.session["path"]);
      },
    );
    const [ann, bob] = [client(), client()];
    await ann("/ann");
    await bob("/bob");
    expect((await ann()).body).toBe("/ann");
    expect((await bob()).body).toBe("/bob");
  }
});

test("a response that has begun ends after its logout has reached the store", async () => {
  const store = new originalSession.MemoryStore();
  const steps: string[] = [];
  const destroy = store.destroy.bind(store);
  store.destroy = (sid, done) =>
    void setTimeout(() => {
      steps.push("destroyed");
      destroy(sid, done);
    }, 20);
  const { client } = await serve(
    { store, saveUninitialized: false },
    routes({
      "/login": ({ session }, response) => {
        session["user"] = "ann";
        response.end();
      },
      "/logout": ({ session }, response) => {
        response.write("bye", () => {
          void session.destroy();
          response.end();
        });
      },
    }),
  );
  const browser = client();
  await browser("/login");
  await browser("/logout");
  steps.push("ended");
  expect(steps).toEqual(["destroyed", "ended"]);
});

test("a page whose session can't be renewed arrives whole", async () => {
  const store = slowStore();
  const page = "y".repeat(8_000_000);
  const { client } = await serve(
    { store, saveUninitialized: false },
    routes({
      "/login": ({ session }, response) => {
        session["user"] = "ann";
        response.end();
      },
      "/page": (_, response) => {
        store.touch = (__, ___, done) => (done as (error: Error) => void)(new Error("down"));
        response.end(page);
      },
    }),
  );
  const browser = client();
  await browser("/login");
  expect((await browser("/page")).body).toHaveLength(page.length);
});

test("what is no function is no callback", async () => {
  const { client } = await serve(
    { saveUninitialized: false },
    routes({
      "/login": ({ session }, response) => {
        session["user"] = "ann";
        response.end();
      },
      "/logout": ({ session }, response) => {
        // A slip that is seen in applications: the response in place of a callback.
        session.destroy(response.end("bye") as never);
      },
    }),
  );
  const browser = client();
  await browser("/login");
  expect((await browser("/logout")).body).toBe("bye");
  expect(JSON.parse((await browser()).body)).not.toHaveProperty("user");
});

test("a second drop-in begins a session of its own where the first one's has ended", async () => {
  for (const makeStore of Object.values(stores)) {
    const options = { secret: SECRET, saveUninitialized: false };
    const second = dropIn({ ...options, name: "second" }) as unknown as Handler;
    const { client } = await serve(
      { ...options, store: makeStore() },
      (request, response, next) =>
        void request.session.destroy((error) => {
          if (error) next(error);
          else
            second(request, response, () => {
              request.session["count"] = Number(request.session["count"] ?? 0) + 1;
              response.end(String(request.session["count"]));
            });
        }),
    );
    const browser = client();
    const first = await browser();
    expect(first.body).toBe("1");
    expect(first.setCookies).toHaveLength(1);
    expect((await browser()).body).toBe("2");
  }
});
