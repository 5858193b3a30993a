// The session's handle before anything is saved.
import { SessionCookieStore, SessionMemoryStore, SessionMiddleware } from "kocha-session";
import { expect, test } from "vitest";
import { freshKey, freshKeys } from "../../support/keys.ts";

const engines = {
  "memory store": () =>
    new SessionMiddleware({ store: new SessionMemoryStore(), signingKey: freshKey() }),
  "cookie store": () => new SessionMiddleware({ store: new SessionCookieStore(freshKeys()) }),
};

test.each(Object.entries(engines))(
  "with the %s it is a fresh one, which the first save keeps",
  async (_, make) => {
    const engine = make();
    const session = await engine.open(undefined);
    const { id } = session;
    session.set("name", "alice");
    const { setCookie } = await engine.commit(session);
    expect((await engine.open(setCookie[0]?.split(";", 1)[0])).id).toBe(id);
    const [one, other] = [await engine.open(undefined), await engine.open(undefined)];
    expect(new Set([id, one.id, other.id]).size).toBe(3);
  },
);
