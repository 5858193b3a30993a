// The end of a request's session: what the messages say when it can't be changed any more, what is
// left of it when its commit has failed, and what becomes of a cookie that nothing can carry.
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { describe, expect, test } from "vitest";
import { spyOn } from "../../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { slowly } from "../../support/latency.ts";
import { thrownBy } from "../../support/thrown.ts";
import { isSessionCookie, noEffects } from "../../../src/engine/effects.ts";

function engineOf(kind: "cookie" | "memory", more: Partial<SessionConfig> = {}): SessionMiddleware {
  const base: SessionConfig =
    kind === "cookie"
      ? { store: new SessionCookieStore(freshKeys()) }
      : { store: new SessionMemoryStore(), signingKey: freshKey() };
  return new SessionMiddleware({ ...base, ...more });
}

function set(session: Session): unknown {
  return thrownBy(() => session.set("late", "1"));
}

describe("a change after the end says why it can't be made", () => {
  const code = "ERR_SESSION_USAGE_HEADERS_SENT";

  test("the response has begun", async () => {
    const engine = engineOf("cookie");
    const session = await engine.open(undefined);
    await engine.commit(session);
    expect(set(session)).toMatchObject({ code, message: /^the response has begun/ });
  });

  test("the client is gone, also in the middle of a handler", async () => {
    const engine = engineOf("cookie");
    const session = await engine.open(undefined);
    session.set("a", "1");
    engine.abandon(session);
    expect(set(session)).toMatchObject({ code, message: /^the client is gone/ });
    for (const step of ["regenerate", "destroy"] as const) {
      const thrown: unknown = await session[step]().catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code, message: /^the client is gone/ });
    }
  });

  test("the response can't carry the cookie", async () => {
    const engine = engineOf("cookie");
    const session = await engine.open(undefined);
    session.get("a");
    engine.abandon(session, "uncarried");
    expect(set(session)).toMatchObject({
      code,
      message: /^the response can't carry the session's cookie/,
    });
  });
});

describe("a commit that failed", () => {
  test("leaves the session as it was stored, to be changed and saved by the next one", async () => {
    const engine = engineOf("cookie");
    const session = await engine.open(undefined);
    session.set("draft", "x".repeat(10_000));
    expect(thrownBy(() => engine.commit(session))).toMatchObject({
      code: "ERR_SESSION_LIMIT_COOKIE",
    });
    expect([session.size, session.isNew]).toEqual([0, true]);
    session.set("notice", "too long");
    const { setCookie } = await engine.commit(session);
    const again = await engine.open(setCookie[0]?.split(";", 1)[0]);
    expect(again.toObject()).toEqual({ notice: "too long" });
    expect(set(session)).toMatchObject({ message: /^the response has begun/ });
  });

  test("is followed by one that can't fail: what doesn't fit again is refused", async () => {
    const refused: string[] = [];
    const engine = engineOf("cookie", {
      on: { refused: ({ reason }) => void refused.push(reason) },
    });
    const session = await engine.open(undefined);
    session.set("draft", "x".repeat(10_000));
    expect(thrownBy(() => engine.commit(session))).toMatchObject({ name: "LimitError" });
    session.set("draft", "x".repeat(10_000));
    expect(await engine.commit(session)).toMatchObject({ setCookie: [], vary: true });
    expect(refused).toEqual(["uncarried"]);
  });

  test("of a store on a server saves nothing more: nobody knows what it holds", async () => {
    const spy = spyOn(new SessionMemoryStore());
    const engine = new SessionMiddleware({ store: spy.store, signingKey: freshKey() });
    const session = await engine.open(undefined);
    session.set("a", "1");
    spy.fault = "save";
    await expect(engine.commit(session)).rejects.toMatchObject({ name: "StoreError" });
    spy.fault = undefined;
    expect(set(session)).toMatchObject({
      code: "ERR_SESSION_USAGE_READ_ONLY",
      message: /^the session could not be saved, .* what the store holds \(see /,
    });
    expect(await engine.commit(session)).toMatchObject({ setCookie: [] });
    expect(spy.saves).toBe(1);
    expect(set(session)).toMatchObject({
      code: "ERR_SESSION_USAGE_READ_ONLY",
      message: /^the session could not be saved, .* is being answered \(see /,
    });
  });
});

describe("a cookie that nothing can carry", () => {
  const stores = {
    memory: () => new SessionMemoryStore(),
    "memory, later": () => slowly(new SessionMemoryStore()),
  };

  test.each(Object.entries(stores))(
    "a session that its client knows is saved without it, a new one is refused: %s",
    async (_, make) => {
      const refused: string[] = [];
      const signingKey = freshKey();
      const on = { refused: ({ reason }: { reason: string }) => void refused.push(reason) };
      const engine = new SessionMiddleware({ store: make(), signingKey, on });
      const first = await engine.open(undefined);
      first.set("a", "1");
      const { setCookie } = await engine.commit(first);
      const cookie = setCookie[0]?.split(";", 1)[0];
      const known = await engine.open(cookie);
      known.set("a", "2");
      engine.abandon(known, "uncarried");
      await engine.commit(known);
      expect((await engine.open(cookie)).get("a")).toBe("2");
      expect(refused).toEqual([]);
      for (const when of ["at the end", "before"]) {
        const unknown = await engine.open(undefined);
        unknown.set("a", "1");
        if (when === "before") await unknown.commit();
        engine.abandon(unknown, "uncarried");
        await unknown.commit();
        await engine.commit(unknown);
      }
      expect(refused).toEqual(["uncarried", "uncarried"]);
    },
  );
});

test.each(["cookie", "memory"] as const)(
  'with vary: "always" each response says that it may depend on the session: %s',
  async (kind) => {
    for (const vary of ["auto", "always"] as const) {
      const engine = engineOf(kind, { vary });
      const untouched = await engine.commit(await engine.open(undefined));
      expect(untouched).toEqual({ ...noEffects, vary: vary === "always" });
      const session = await engine.open(undefined);
      session.get("a");
      expect(await engine.commit(session)).toMatchObject({ vary: true });
    }
  },
);

test("a Set-Cookie value is the session's by its name, or by that of a part of it", () => {
  const engine = engineOf("cookie", { name: "sid" });
  const owned = ["sid=x", "sid=; Max-Age=0", "sid.split1=x; Path=/", "sid.abc_-1=x", " sid =x"];
  const foreign = ["sid2=x", "other=sid=x", "sid.abc=x", "SID=x", "xsid=x", "sid", ""];
  expect(owned.filter((cookie) => !isSessionCookie(engine, cookie))).toEqual([]);
  expect(foreign.filter((cookie) => isSessionCookie(engine, cookie))).toEqual(["sid"]);
});
