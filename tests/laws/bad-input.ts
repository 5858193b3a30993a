// The bad input that this library promises an outcome for, by name: what is done, to a session that
// holds something, and what must come of it. docs/reference/bad-input.md tells the same by the same
// names.
import { SessionMiddleware } from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { mintCookie } from "kocha-session/testing";
import { expect } from "vitest";
import { freshKey } from "../support/keys.ts";
import { Clock, makeStore, makeWorld } from "../unit/engine/client.ts";
import {
  type Case,
  faulty,
  newRingKey,
  refused,
  refusedChange,
  refusedConfig,
  refusedKey,
  rejected,
  ringOf,
  storeTrouble,
} from "./bad-input-steps.ts";

const onServers = "a server-side store's";

/** Every case by its name, and for which stores it is one. */
export const badInputs: Readonly<Record<string, { readonly of?: string; readonly run: Case }>> = {
  "a value that is no string": {
    run: async (scene) => {
      for (const value of [undefined, null, 1, true, 1n, {}, [scene.secret], new String("x")]) {
        await refusedChange("ERR_SESSION_USAGE_TYPE", () => ["key", value])(scene);
        await refusedChange("ERR_SESSION_USAGE_TYPE", () => [value, "x"])(scene);
      }
    },
  },
  "a lone surrogate": {
    run: async (scene) => {
      for (const half of ["\uD800", "\uDC00"]) {
        await refusedChange("ERR_SESSION_USAGE_MALFORMED", (it) => ["key", it + half])(scene);
        await refusedChange("ERR_SESSION_USAGE_MALFORMED", (it) => [half + it, "x"])(scene);
      }
    },
  },
  "too many keys": {
    run: async (scene) => {
      const { engine } = scene.world;
      const session = await engine.open(scene.cookie);
      for (let count = 1; count < 1000; count++) session.set(`k${count}`, "");
      await refused(scene, "ERR_SESSION_LIMIT_KEYS", () => session.set("over", scene.secret));
      expect(session.size).toBe(1000);
      session.discard();
    },
  },
  "a key over its limit": {
    run: refusedChange("ERR_SESSION_LIMIT_KEY", (it) => ["é".repeat(129), it]),
  },
  "a value over its limit": {
    run: refusedChange("ERR_SESSION_LIMIT_SESSION", (it) => ["key", it.repeat(2000)]),
  },
  "a key that is too short": {
    run: refusedKey((good) => Buffer.from(good, "base64").subarray(1).toString("base64")),
  },
  "a key that is not base64": { run: refusedKey((good) => `*${good.slice(1)}`) },
  "one key for both": {
    of: "the cookie store's",
    run: refusedKey((good) => good),
  },
  "a key of zeros": { run: refusedKey(() => Buffer.alloc(32).toString("base64")) },
  "an unknown field of the configuration": {
    run: refusedConfig("secret", ({ secret }) => ({ secret })),
  },
  "an invalid cookie name": {
    run: async (scene) => {
      for (const name of ["", "a b", "a;b", "a=b", "sessión", "a\n"]) {
        await refusedConfig("name", () => ({ name }), "COOKIE")(scene);
      }
    },
  },
  "__Host- with a domain": {
    run: refusedConfig("domain", () => ({ name: "__Host-s", domain: "example.com" }), "COOKIE"),
  },
  "__Host- without secure": {
    run: refusedConfig("name", () => ({ name: "__host-s", secure: false }), "COOKIE"),
  },
  "SameSite=None without Secure": {
    run: async (scene) => {
      for (const secure of [false, "auto"]) {
        await refusedConfig("sameSite", () => ({ sameSite: "none", secure }), "COOKIE")(scene);
      }
    },
  },
  "a session too large for its cookie": {
    of: "the cookie store's",
    run: async (scene) => {
      const { engine } = scene.world;
      const session = await engine.open(scene.cookie);
      session.set("large", scene.secret.repeat(100));
      session.set("small", "x");
      const error = await refused(scene, "ERR_SESSION_LIMIT_COOKIE", () => engine.commit(session));
      const { actual, limit, largestKeys } = error as {
        readonly actual: number;
        readonly limit: number;
        readonly largestKeys: readonly { readonly key: string }[];
      };
      expect(actual).toBeGreaterThan(limit);
      expect(largestKeys.map(({ key }) => key)).toEqual(["large", "kept", "small"]);
      expect((await engine.commit(session)).setCookie).toEqual([]);
    },
  },
  "a change after the headers went": {
    run: async (scene) => {
      const { engine } = scene.world;
      const session = await engine.open(scene.cookie);
      await engine.commit(session);
      const late = [
        () => session.set("kept", "late"),
        () => session.del("kept"),
        () => session.clear(),
        () => session.bind("alice"),
        () => session.regenerate(),
        () => session.flash.set("notice", "late"),
      ];
      for (const change of late) await refused(scene, "ERR_SESSION_USAGE_HEADERS_SENT", change);
    },
  },
  "a destroyed session used": {
    run: async (scene) => {
      const { engine } = scene.world;
      const other = await mintCookie(engine, { kept: scene.secret });
      const session = await engine.open(other);
      await session.destroy();
      expect([session.get("kept"), session.size, [...session]]).toEqual(["", 0, []]);
      const uses = [
        () => session.set("kept", scene.secret),
        () => session.clear(),
        () => session.regenerate(),
        () => session.bind("alice"),
      ];
      for (const use of uses) await refused(scene, "ERR_SESSION_USAGE_DESTROYED", use);
      expect((await engine.commit(session)).setCookie).toHaveLength(1);
    },
  },
  "two cookies of one name": {
    run: async (scene) => {
      const { engine } = scene.world;
      for (const header of [`session=junk; ${scene.cookie}`, `${scene.cookie}; session=junk`]) {
        const session = await engine.open(header);
        expect(session.get("kept")).toBe(scene.secret);
        expect((await engine.commit(session)).setCookie).toEqual([]);
      }
    },
  },
  "a cookie sealed for another name": {
    run: async (scene) => {
      const { world, kind } = scene;
      const keys = { signingKey: freshKey() };
      const settings = { now: world.clock.now, ...(kind === "memory" && keys) };
      const sealed = await mintCookie(
        { ...settings, store: world.store, name: "other" },
        { a: "1" },
      );
      const on = {
        rejected: (event: object) => world.told.push({ name: "rejected", event: { ...event } }),
      };
      const engine = new SessionMiddleware({ ...settings, store: world.store, on });
      await rejected(scene, sealed.replace("other=", "session="), "forged", engine);
    },
  },
  "a cookie with an unknown key": {
    run: async (scene) => {
      const stranger = makeWorld(scene.kind, {}, scene.world.clock);
      await rejected(scene, await mintCookie(stranger.engine, { kept: "theirs" }), "unknown-key");
    },
  },
  "a cookie with a retired key": {
    run: async (scene) => {
      const { kind, world } = scene;
      const [old, young] = [newRingKey(kind), newRingKey(kind)];
      const ring = (keys: readonly object[]) => ringOf(kind, keys, world.store, world.clock);
      const cookie = await mintCookie(ring([old]).engine, { kept: scene.secret });
      // While it is in the ring it opens, and its next write is by the key that is in use.
      const between = ring([young, old]);
      const session = await between.engine.open(cookie);
      expect(session.get("kept")).toBe(scene.secret);
      session.set("more", "1");
      const { setCookie } = await between.engine.commit(session);
      expect(setCookie).toHaveLength(1);
      // Once it is out, what it made is no session; what was written since is.
      const after = ring([young]);
      const written = setCookie[0]?.split(";", 1)[0] ?? "";
      expect((await after.engine.open(written)).get("kept")).toBe(scene.secret);
      after.events();
      await rejected({ ...scene, world: after }, cookie, "unknown-key");
    },
  },
  "a cookie from the future": {
    of: "the cookie store's",
    run: async (scene) => {
      const ahead = new Clock();
      ahead.advance(301);
      const { store } = scene.world;
      const cookie = await mintCookie(makeWorld(store, {}, ahead).engine, { kept: "later" });
      await rejected(scene, cookie, "future");
    },
  },
  "a cookie past its idle timeout": {
    run: async (scene) => {
      const world = makeWorld(scene.kind);
      const cookie = await mintCookie(world.engine, { kept: "until tomorrow" });
      world.clock.advance(86_400);
      const reason = scene.kind === "memory" ? "unknown" : "expired";
      await rejected({ ...scene, world }, cookie, reason);
    },
  },
  "a cookie past its absolute timeout": {
    run: async (scene) => {
      const clock = new Clock();
      const store = makeStore(scene.kind, clock);
      const world = makeWorld(store, { absoluteExpires: 3600, sessionExpires: -1 }, clock);
      const client = world.newClient();
      await client.request((session) => session.set("a", "1"));
      const cookie = client.jar.header ?? "";
      for (let minutes = 0; minutes < 59; minutes++) {
        clock.advance(60);
        await client.request((session) => expect(session.get("a")).toBe("1"));
      }
      clock.advance(60);
      const reason = scene.kind === "memory" ? "unknown" : "expired";
      await rejected({ ...scene, world }, cookie, reason);
      await rejected({ ...scene, world }, client.jar.header ?? cookie, reason);
    },
  },
  "a store that throws": {
    of: onServers,
    run: storeTrouble("ERR_SESSION_STORE_FAILED", () => {
      throw new Error("out of order");
    }),
  },
  "a store that rejects": {
    of: onServers,
    run: storeTrouble("ERR_SESSION_STORE_FAILED", async () => {
      throw new Error("out of order");
    }),
  },
  "a store that hangs": {
    of: onServers,
    run: storeTrouble("ERR_SESSION_STORE_TIMEOUT", () => new Promise(() => undefined)),
  },
  "a store that gives rubbish back when it loads": {
    of: onServers,
    run: async (scene) => {
      const { clock, told } = scene.world;
      const signingKey = freshKey();
      const settings = { signingKey, now: clock.now };
      const cookie = await mintCookie({ ...settings, store: scene.world.store }, { a: "1" });
      const rubbish = [5, "row", {}, [], { data: { a: scene.secret } }, { data: new Map() }];
      for (const row of rubbish) {
        const world = makeWorld(
          faulty(scene, "load", () => row),
          settings,
          clock,
        );
        await rejected({ ...scene, world }, cookie, "malformed");
      }
      told.length = 0;
    },
  },
  "a store that gives rubbish back when it saves": {
    of: onServers,
    run: async (scene) => {
      for (const answer of [5, "saved", true, {}, { key: scene.secret }, { key: "", rev: 0 }]) {
        const store = faulty(scene, "save", () => answer);
        const engine = new SessionMiddleware({ store, signingKey: freshKey() });
        const session = await engine.open(undefined);
        session.set("a", scene.secret);
        await refused(scene, "ERR_SESSION_STORE_ANSWER", () => engine.commit(session));
        expect((await engine.commit(session)).setCookie).toEqual([]);
      }
    },
  },
  "an aborted request": {
    run: async (scene) => {
      const { engine, store } = scene.world;
      const abort = new AbortController();
      const serve = withSession(engine, async (_, session) => {
        session.set("late", "1");
        abort.abort();
        await session.commit();
        return new Response("to nobody");
      });
      const { cookie } = scene;
      const { signal } = abort;
      scene.world.events();
      await serve(new Request("http://localhost/", { headers: { cookie }, signal }));
      const session = await engine.open(cookie);
      const heard = scene.world.events();
      if ("sealed" in store) {
        // Only its response could have carried the change.
        expect(heard).toContain("refused");
        expect(session.has("late")).toBe(false);
      } else {
        expect(heard).not.toContain("refused");
        expect(session.get("late")).toBe("1");
        session.del("late");
        await engine.commit(session);
      }
    },
  },
};
