// `save`: what a request changed so far is kept, with the effects that are due, and the session stays open;
// and the reason of a session that was opened to be read.
import { describe, expect, test } from "vitest";
import { SessionMiddleware } from "../../../src/session/middleware.ts";
import { SessionCookieStore } from "../../../src/stores/cookie.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";

const engines = {
  ticketed: () =>
    new SessionMiddleware({ store: new SessionMemoryStore(), signingKey: freshKey() }),
  sealed: () => new SessionMiddleware({ store: new SessionCookieStore(freshKeys()) }),
};

describe.each(Object.entries(engines))("save on a %s store", (_, make) => {
  test("keeps what was changed so far, and the session stays open", async () => {
    const engine = make();
    const session = await engine.open(undefined);
    session.set("a", "1");
    const [first] = (await engine.save(session)).cookies;
    const early = await engine.open(`${first?.name}=${first?.value}`);
    expect(early.get("a")).toBe("1");
    session.set("b", "2");
    const [last] = (await engine.commit(session)).cookies;
    const late = await engine.open(`${last?.name}=${last?.value}`);
    expect([...late]).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });

  test("of an unchanged session sets no cookie, and after the end gives the end's effects", async () => {
    const engine = make();
    const session = await engine.open(undefined);
    session.get("a");
    expect((await engine.save(session)).setCookie).toEqual([]);
    session.set("a", "1");
    const effects = await engine.commit(session);
    expect(await engine.save(session)).toBe(effects);
  });

  test("a session that was opened to be read says why", async () => {
    const engine = make();
    const plain = await engine.openReadOnly(undefined);
    expect(thrownBy(() => plain.set("a", "1"))).toMatchObject({
      code: "ERR_SESSION_USAGE_READ_ONLY",
      message: expect.stringContaining("opened from headers alone") as unknown,
    });
    const session = await engine.openReadOnly(undefined, undefined, undefined, "pages only read");
    expect(thrownBy(() => session.set("a", "1"))).toMatchObject({
      code: "ERR_SESSION_USAGE_READ_ONLY",
      message: expect.stringMatching(/^pages only read \(see /) as string,
    });
    await expect(session.destroy()).rejects.toThrow("pages only read");
    expect(session.readOnly).toBe(true);
  });
});
