// The helpers for tests of applications: a minted cookie is one that the real application takes,
// and reading one back says what it holds.
import {
  DAY,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, test } from "vitest";
import { nodeServer } from "../../../src/testing/store-laws.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";

const configs: Readonly<Record<string, () => SessionConfig>> = {
  memory: () => ({ store: new SessionMemoryStore(), signingKey: freshKey() }),
  cookie: () => ({ store: new SessionCookieStore(freshKeys()) }),
  "split cookie": () => ({ store: new SessionCookieStore({ ...freshKeys(), maxCookies: 4 }) }),
};

describe.each(Object.entries(configs))("a cookie minted for the %s store", (kind, make) => {
  test("is taken by a server of the same configuration, and by no other", async () => {
    const config = make();
    const cookie = await mintCookie(config, { name: "alice", role: "admin" });
    for (const [settings, name] of [
      [config, "alice"],
      [make(), ""],
    ] as const) {
      const { url, close } = await nodeServer(settings, (session) => ({
        status: 200,
        body: session.get("name"),
      }));
      expect(await (await fetch(url, { headers: { cookie } })).text()).toBe(name);
      await close();
    }
  });

  test("is read back, whether from a Cookie header or from Set-Cookie values", async () => {
    const config = make();
    const data = new Map([
      ["name", "alice"],
      ["", "\0🫖"],
      ["__proto__", "x"],
    ]);
    const cookie = await mintCookie(config, data);
    expect(await readCookie(config, cookie)).toEqual(data);
    const engine = SessionMiddleware.from(config);
    const session = await engine.open(cookie);
    session.set("more", "y".repeat(kind === "split cookie" ? 6000 : 100));
    const { setCookie } = await engine.commit(session);
    const changed = await readCookie(config, setCookie.length === 0 ? cookie : setCookie);
    expect([...changed.keys()].toSorted()).toEqual(["", "__proto__", "more", "name"]);
  });

  test("reading changes nothing, and what is no session reads as empty", async () => {
    const config = make();
    const cookie = await mintCookie(config, { name: "alice" });
    for (const nothing of ["", "session=", "session=made-up", "other=1", []]) {
      expect(await readCookie(config, nothing)).toEqual(new Map());
    }
    expect(await readCookie(config, cookie)).toEqual(await readCookie(config, cookie));
  });

  test("carries a subject and lifetimes of its own", async () => {
    const config: SessionConfig = { ...make(), sessionExpires: 30 * DAY };
    const cookie = await mintCookie(
      config,
      { name: "alice" },
      { subject: "user-42", cookieExpires: 30 * DAY, sessionExpires: 1800 },
    );
    const engine = SessionMiddleware.from(config);
    expect((await engine.open(cookie)).cookieExpires).toBe(30 * DAY);
    expect((await engine.open(cookie)).sessionExpires).toBe(1800);
    const session = await engine.open(cookie);
    session.set("name", "bob");
    session.cookieExpires = 31 * DAY;
    const [renewed] = (await engine.commit(session)).setCookie;
    expect(renewed).toContain(`Max-Age=${31 * DAY}`);
    if (!(config.store instanceof SessionMemoryStore)) return;
    const ids: string[] = [];
    for await (const { id } of config.store.list("user-42")) ids.push(id);
    expect(ids).toEqual([session.id]);
  });

  test("is refused as any session would be: too large, no strings", async () => {
    const config = make();
    await expect(mintCookie(config, { a: 5 } as never)).rejects.toMatchObject({
      code: "ERR_SESSION_USAGE_TYPE",
    });
    await expect(mintCookie(config, { a: "x".repeat(70_000) })).rejects.toMatchObject({
      name: "LimitError",
    });
  });
});
