// What a configuration keeps in memory, where a bundler puts several copies of one module into a process:
// each copy makes a store and a list of its own, and all of them must be one.
import { describe, expect, test } from "vitest";
import { DAY } from "../../../src/base/time.ts";
import type { SessionConfig } from "../../../src/engine/config.ts";
import { memoryRevocations } from "../../../src/revocations/memory.ts";
import { SessionMiddleware } from "../../../src/session/middleware.ts";
import type { Session } from "../../../src/session/session.ts";
import { SessionCookieStore } from "../../../src/stores/cookie.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { freshKey } from "../../support/keys.ts";

/** A copy of the module: an engine whose memory is shared. */
function copyOf(config: SessionConfig): SessionMiddleware {
  const engine = new SessionMiddleware(config);
  engine.shareMemory();
  return engine;
}

/** One request; gives its Cookie header afterwards. */
async function request(
  engine: SessionMiddleware,
  cookie: string,
  work: (session: Session) => unknown,
): Promise<string> {
  const session = await engine.open(cookie);
  await work(session);
  const [set] = (await engine.commit(session)).cookies;
  return set === undefined ? cookie : `${set.name}=${set.value}`;
}

describe("memory stores", () => {
  /** Copies of one configuration, which no other test has. */
  function configuration(): (more?: Partial<SessionConfig>) => SessionConfig {
    const signingKey = freshKey();
    return (more) => ({ name: "memory", store: new SessionMemoryStore(), signingKey, ...more });
  }

  test("are one for all copies of a configuration, in every method", async () => {
    const config = configuration();
    const [store, other] = [new SessionMemoryStore(), new SessionMemoryStore()];
    const [first, second] = [copyOf(config({ store })), copyOf(config({ store: other }))];
    const cookie = await request(first, "", (session) => {
      session.set("a", "1");
      session.bind("ada");
    });
    await request(second, cookie, (session) => {
      expect(session.get("a")).toBe("1");
      session.set("a", "2");
    });
    await request(first, cookie, (session) => expect(session.get("a")).toBe("2"));
    expect([store.size, other.size]).toEqual([1, 1]);
    const ids: string[] = [];
    for await (const { id } of other.list("ada")) ids.push(id);
    expect(ids).toHaveLength(1);
    expect(await other.sweep(10)).toBe(0);
    expect(await other.destroyAll("ada")).toBe(1);
    expect(store.size).toBe(0);
  });

  test.each<[string, Partial<SessionConfig>]>([
    ["another cookie", { name: "other" }],
    ["another path", { path: "/admin" }],
    ["another domain", { domain: "example.org" }],
    ["another key", { signingKey: freshKey() }],
  ])("are not shared by a configuration with %s", async (_, more) => {
    const config = configuration();
    const store = new SessionMemoryStore();
    const first = copyOf(config());
    copyOf(config({ ...more, store }));
    await request(first, "", (session) => session.set("a", "1"));
    expect(store.size).toBe(0);
  });

  test("are their configuration's own where nobody shares them", async () => {
    const config = configuration();
    const store = new SessionMemoryStore();
    await request(new SessionMiddleware(config()), "", (session) => session.set("a", "1"));
    await request(new SessionMiddleware(config({ store })), "", (session) => session.get("a"));
    expect(store.size).toBe(0);
  });
});

test("lists of revocations in memory are one, too", async () => {
  const keys = { secretKey: freshKey(), signingKey: freshKey() };
  const make = (): SessionMiddleware =>
    copyOf({
      name: "revoked",
      store: new SessionCookieStore(keys),
      revocations: memoryRevocations(),
      sessionExpires: DAY,
    });
  const [first, second] = [make(), make()];
  const cookie = await request(first, "", (session) => session.set("a", "1"));
  await request(second, cookie, (session) => session.destroy());
  await request(first, cookie, (session) => expect(session.get("a")).toBe(""));
});
