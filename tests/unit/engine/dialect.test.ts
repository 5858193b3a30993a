// What a drop-in asks of the engine for one request: a credential of another library's format, an idle
// timeout that the data asks for, a renewal whatever the throttle says; and a drop-in for cookies of
// express-session, on a real server beside express-session itself.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import express from "express";
import expressSession, { MemoryStore } from "express-session";
import {
  applyEffects,
  type CredentialFormat,
  type Session,
  type SessionConfig,
  SessionCookieStore,
  type SessionDialect,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { slowly } from "../../support/latency.ts";
import { listen } from "../../support/listen.ts";
import { thrownBy } from "../../support/thrown.ts";

const SECRET = "a secret of express-session";
const NAME = "connect.sid";

function sign(sid: string): string {
  const tag = createHmac("sha256", SECRET).update(sid).digest("base64").replace(/=+$/, "");
  return encodeURIComponent(`s:${sid}.${tag}`);
}

/** express-session's format; a generation after the first stands behind the sid. */
const expressFormat: CredentialFormat = {
  open: (value) => {
    let text: string;
    try {
      text = decodeURIComponent(value);
    } catch {
      return "malformed";
    }
    if (!text.startsWith("s:")) return "malformed";
    const sid = text.slice(2, text.lastIndexOf("."));
    const [given, right] = [Buffer.from(value), Buffer.from(sign(sid))];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return "forged";
    const [selector = "", generation = "1"] = sid.split(".");
    return { selector, generation: Number(generation), issued: 0, current: true };
  },
  seal: ({ selector, generation }) =>
    sign(generation === 1 ? selector : `${selector}.${generation}`),
  mint: () => randomBytes(24).toString("base64url"),
};

/** As express-session's `cookie.originalMaxAge`, in milliseconds. */
const idleSeconds: SessionDialect["idleSeconds"] = (data) => {
  const { originalMaxAge } = JSON.parse(data.get("cookie") ?? "{}") as { originalMaxAge?: number };
  return originalMaxAge === undefined ? undefined : originalMaxAge / 1000;
};

const kinds: Readonly<Record<string, (now: () => number) => SessionConfig>> = {
  "the cookie store": (now) => ({ store: new SessionCookieStore(freshKeys()), now }),
  "merging cookies": (now) => ({
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
    now,
  }),
  "the memory store": (now) => ({
    store: new SessionMemoryStore({ now }),
    signingKey: freshKey(),
    now,
  }),
  "a store that takes a while": (now) => ({
    store: slowly(new SessionMemoryStore({ now })),
    signingKey: freshKey(),
    now,
  }),
};

/** A client of an engine, and the events of its sessions. */
function client(makeConfig: (now: () => number) => SessionConfig, more: Partial<SessionConfig>) {
  const clock = { now: 1_790_000_000_000 };
  const events: string[] = [];
  const on = {
    committed: () => void events.push("committed"),
    renewed: () => void events.push("renewed"),
  };
  const engine = new SessionMiddleware({ ...makeConfig(() => clock.now), on, ...more });
  let header = "";
  const request = async <T>(
    dialect: SessionDialect | undefined,
    work: (session: Session) => T,
  ): Promise<{ answer: T; cookies: number }> => {
    const session = await engine.open(header, {}, dialect);
    const answer = await work(session);
    const { cookies } = await engine.commit(session);
    const kept = cookies.filter(({ maxAge }) => maxAge !== 0);
    if (kept.length > 0) header = kept.map(({ name, value }) => `${name}=${value}`).join("; ");
    return { answer, cookies: cookies.length };
  };
  return { clock, events, engine, request };
}

describe.each(Object.entries(kinds))("a dialect, with %s", (_, makeConfig) => {
  test("the idle timeout that the data asks for is the session's: it shortens and lengthens", async () => {
    const { clock, request } = client(makeConfig, { sessionExpires: 3600 });
    const dialect = { idleSeconds };
    const ask = (seconds: number | undefined) => (session: Session) => {
      if (seconds === undefined) session.del("cookie");
      else session.set("cookie", JSON.stringify({ originalMaxAge: seconds * 1000 }));
    };
    const left = async (): Promise<number> => {
      const { answer } = await request(undefined, (session) => session.expiresAt?.getTime() ?? 0);
      return (answer - clock.now) / 1000;
    };
    await request(dialect, ask(600));
    expect(await left()).toBe(600);
    await request(dialect, ask(60));
    expect(await left()).toBe(60);
    await request(dialect, ask(1200));
    expect(await left()).toBe(1200);
    // No longer than the configuration's.
    await request(dialect, ask(7200));
    expect(await left()).toBe(3600);
    await request(dialect, ask(60));
    await request(dialect, ask(undefined));
    expect(await left()).toBe(3600);
    await request(dialect, ask(60));
    clock.now += 61_000;
    expect((await request(dialect, (session) => session.isNew)).answer).toBe(true);
  });

  test("data that asks for the same is no change, and what it asks for nonsense is none", async () => {
    const { events, request } = client(makeConfig, { sessionExpires: 3600 });
    const dialect = { idleSeconds };
    await request(dialect, (session) => session.set("cookie", '{"originalMaxAge":600000}'));
    events.length = 0;
    await request(dialect, (session) => session.get("cookie"));
    expect(events).toEqual([]);
    // Data that was changed without the dialect is followed at the next look.
    await request(undefined, (session) => session.set("cookie", '{"originalMaxAge":60000}'));
    await request(dialect, (session) => session.get("cookie"));
    expect((await request(undefined, (session) => session.sessionExpires)).answer).toBe(60);
    for (const seconds of [Number.NaN, -1, 0, 0.5, Infinity, 1e300]) {
      const { answer } = await request({ idleSeconds: () => seconds }, (session) => {
        session.set("n", String(seconds));
        return session.size;
      });
      expect(answer).toBe(2);
      const kept = await request(undefined, (session) => session.sessionExpires);
      expect(kept.answer).toBe(3600);
    }
  });

  test("a renewal that is asked for comes at once, with the cookie, changed or not", async () => {
    const { clock, events, request } = client(makeConfig, { sessionExpires: 3600 });
    await request(undefined, (session) => session.set("a", "1"));
    events.length = 0;
    clock.now += 1000;
    // By the throttle none is due.
    expect((await request(undefined, (session) => session.get("a"))).cookies).toBe(0);
    const asked = { renewsNow: () => true };
    expect((await request(asked, (session) => session.get("a"))).cookies).toBeGreaterThan(0);
    expect(events).toEqual(["renewed"]);
    clock.now += 1000;
    expect((await request(asked, (session) => session.set("a", "2"))).cookies).toBeGreaterThan(0);
    const { answer } = await request(undefined, (session) => session.expiresAt?.getTime());
    expect(answer).toBe(clock.now + 3_600_000);
    // Who has no session gets none, and a request that doesn't look renews nothing.
    events.length = 0;
    expect((await request(asked, () => undefined)).cookies).toBe(0);
    const stranger = client(makeConfig, { sessionExpires: 3600 });
    expect((await stranger.request(asked, (session) => session.get("a"))).cookies).toBe(0);
    expect([events, stranger.events]).toEqual([[], []]);
  });
});

test("a credential of one's own needs a server-side store", () => {
  const engine = new SessionMiddleware({ store: new SessionCookieStore(freshKeys()) });
  const dialect = { credential: expressFormat };
  expect(thrownBy(() => engine.open(undefined, {}, dialect))).toMatchObject({
    code: "ERR_SESSION_CONFIG_STORE",
  });
});

describe("a drop-in for express-session's cookies", () => {
  const start = async (more: Partial<SessionConfig> = {}) => {
    const rejected: string[] = [];
    const engine = new SessionMiddleware({
      name: NAME,
      store: slowly(new SessionMemoryStore()),
      signingKey: freshKey(),
      secure: false,
      on: { rejected: ({ reason }) => void rejected.push(reason) },
      ...more,
    });
    let nextSid: string | undefined;
    const mint = (): string => nextSid ?? expressFormat.mint();
    const dialect = { credential: { ...expressFormat, mint }, idleSeconds };
    const server = createServer((request, response) => {
      const visit = async (): Promise<void> => {
        const session = await engine.open(request.headers.cookie, {}, dialect);
        if (request.url === "/login") {
          await session.regenerate();
          session.set("user", "alice");
        }
        if (request.url === "/logout") await session.destroy();
        const body = `${session.id} ${session.get("user")}`;
        applyEffects(await engine.commit(session), {
          get: (name) => response.getHeader(name)?.toString(),
          set: (name, value) => response.setHeader(name, value),
          append: (name, value) => response.appendHeader(name, value),
        });
        response.end(body);
      };
      void visit();
    });
    const { url, close } = await listen(server);
    onTestFinished(close);
    const get = async (path: string, cookie = "") => {
      const answer = await fetch(url + path, { headers: { cookie } });
      const [set = ""] = answer.headers.getSetCookie();
      return { body: await answer.text(), cookie: set.split(";", 1)[0] ?? "" };
    };
    return { get, rejected, adopt: (sid: string) => (nextSid = sid) };
  };

  /** express-session itself, with a store of its own that has a session for every sid. */
  const startOriginal = async () => {
    const store = new MemoryStore();
    const app = express();
    app.use(
      expressSession({ secret: SECRET, name: NAME, store, resave: false, saveUninitialized: true }),
    );
    app.get("/", (request, response) => void response.send(request.sessionID));
    const { url, close } = await listen(app);
    onTestFinished(close);
    return async (cookie = "") => {
      const answer = await fetch(url, { headers: { cookie } });
      const [set = ""] = answer.headers.getSetCookie();
      return { sid: await answer.text(), cookie: set.split(";", 1)[0] ?? "", store };
    };
  };

  test("reads a cookie that express-session has made, and express-session reads ours", async () => {
    const original = await startOriginal();
    const made = await original();
    const { get, adopt } = await start();
    // The row that a migration would have made.
    adopt(made.sid);
    const first = await get("/login");
    expect(first.cookie).toBe(made.cookie);
    expect((await get("/", made.cookie)).body).toBe(`${made.sid} alice`);
    // Its own check of the signature takes our cookie: the session isn't made anew.
    expect((await original(first.cookie)).sid).toBe(made.sid);
  });

  test("logs in with a new credential, retires the old one, and logs out for good", async () => {
    const { get, rejected } = await start({ sessionExpires: 3600 });
    const first = await get("/login");
    const again = await get("/login", first.cookie);
    expect(again.cookie).not.toBe(first.cookie);
    expect((await get("/", again.cookie)).body).toMatch(/^[\w-]{32} alice$/);
    await get("/logout", again.cookie);
    expect((await get("/", again.cookie)).body).toMatch(/^[\w-]{32} $/);
    expect((await get("/", first.cookie)).body).toMatch(/^[\w-]{32} $/);
    expect(rejected).toEqual(["unknown", "unknown"]);
  });

  test("takes nothing that isn't signed, in this format or in ours", async () => {
    const { get, rejected } = await start();
    const { cookie } = await get("/login");
    const ours = new SessionMiddleware({
      name: NAME,
      store: new SessionMemoryStore(),
      signingKey: freshKey(),
    });
    const session = await ours.open(undefined);
    session.set("user", "mallory");
    const [own = ""] = (await ours.commit(session)).setCookie;
    const forged = [
      `${cookie.slice(0, -1)}${cookie.endsWith("A") ? "B" : "A"}`,
      `${NAME}=s%3Aabc.def`,
      `${NAME}=%E0%A4%A`,
      `${NAME}=s%3A`,
      own.split(";", 1)[0] ?? "",
    ];
    for (const one of forged) expect((await get("/", one)).body).toMatch(/^[\w-]{32} $/);
    expect(rejected).toEqual(["forged", "forged", "malformed", "forged", "malformed"]);
  });
});
