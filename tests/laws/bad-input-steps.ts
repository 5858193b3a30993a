// The steps that the cases of bad input share: what must be refused and with which error, what must
// read as no session, and a store in trouble behind a real handler.
import {
  type CookieKey,
  SessionCookieStore,
  type SessionConfig,
  SessionMiddleware,
  type AnySessionStore,
  type SessionStore,
  type SigningKey,
} from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { mintCookie } from "kocha-session/testing";
import { expect } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { type Clock, type Kind, makeWorld, type World } from "../unit/engine/client.ts";
import { varyOnly } from "../../src/engine/effects.ts";

/** What a case is given: a client whose session holds a secret, and a list for what is thrown. */
export interface Scene {
  readonly kind: Kind;
  readonly world: World;
  /** The client's Cookie header. */
  readonly cookie: string;
  /** The session's one value. */
  readonly secret: string;
  /** Everything that was thrown; none may show the secret, a key or the cookie. */
  readonly thrown: unknown[];
}

export type Case = (scene: Scene) => Promise<void> | void;

/** Runs what must throw, and keeps it. */
export async function refused(
  { thrown }: Scene,
  code: string,
  call: () => unknown,
): Promise<unknown> {
  const error: unknown = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  expect(error).toMatchObject({ code });
  thrown.push(error);
  return error;
}

/** A change of the client's session that must throw, whose request then goes on to its end. */
export function refusedChange(
  code: string,
  change: (value: string) => readonly [unknown, unknown],
): Case {
  return async (scene) => {
    const { engine } = scene.world;
    const session = await engine.open(scene.cookie);
    const [key, value] = change(scene.secret);
    await refused(scene, code, () => session.set(key as string, value as string));
    expect(session.toObject()).toEqual({ kept: scene.secret });
    expect((await engine.commit(session)).setCookie).toEqual([]);
  };
}

/** A configuration that must not be built. */
export function refusedConfig(field: string, more: (scene: Scene) => object, code = "FIELD"): Case {
  return async (scene) => {
    const config = { store: scene.world.store, ...more(scene) } as SessionConfig;
    const error = await refused(scene, `ERR_SESSION_CONFIG_${code}`, () => {
      const keys = scene.kind === "memory" && !("signingKey" in config) && !("keys" in config);
      return new SessionMiddleware(keys ? { ...config, signingKey: freshKey() } : config);
    });
    expect(error).toMatchObject({ field });
  };
}

/** Keys that must not be taken, by the store that keeps them. */
export function refusedKey(make: (good: string) => string, field = "signingKey"): Case {
  return async (scene) => {
    const good = freshKey();
    const bad = make(good);
    const error = await refused(scene, "ERR_SESSION_CONFIG_KEY", () =>
      scene.kind === "memory"
        ? new SessionMiddleware({ store: scene.world.store, signingKey: bad })
        : new SessionCookieStore({ secretKey: good, signingKey: bad }),
    );
    expect(error).toMatchObject({ field });
    expect((error as Error).message).toMatch(/keygen|another secret than secretKey/);
    expect((error as Error).message).not.toContain(bad);
  };
}

/** A Cookie header that must read as no session, with the reason to the observers. */
export async function rejected(
  { world }: Scene,
  header: string,
  reason: string,
  engine: SessionMiddleware = world.engine,
): Promise<void> {
  world.events();
  const session = await engine.open(header);
  expect([session.size, session.isNew, session.get("kept")]).toEqual([0, true, ""]);
  expect(await engine.commit(session)).toEqual(varyOnly);
  expect(world.told).toEqual([{ name: "rejected", event: { reason } }]);
}

/** A ring of the kind's own key and another; the first may be left out of use. */
export function ringOf(kind: Kind, keys: readonly object[], store: AnySessionStore, clock: Clock) {
  return kind === "memory"
    ? makeWorld(store, { keys: keys as SigningKey[] }, clock)
    : makeWorld(new SessionCookieStore({ keys: keys as CookieKey[] }), {}, clock);
}

export function newRingKey(kind: Kind): object {
  return kind === "memory" ? { signingKey: freshKey() } : freshKeys();
}

/** A store whose one method does something else; the other stays as it is. */
export function faulty(
  { world }: Scene,
  method: "load" | "save",
  answer: () => unknown,
): SessionStore {
  const { store } = world;
  if ("sealed" in store) throw new Error("a cookie store gives no answers");
  return {
    load: (selector) => (method === "load" ? (answer() as never) : store.load(selector)),
    save: (selector, change) =>
      method === "save" ? (answer() as never) : store.save(selector, change),
  };
}

/** A server-side store in trouble: the host's own error path, no cookie, and nothing lost. */
export function storeTrouble(code: string, answer: () => unknown): Case {
  return async (scene) => {
    const { store, clock } = scene.world;
    const signingKey = freshKey();
    const settings = { signingKey, now: clock.now, storeTimeout: 0.02 };
    const cookie = await mintCookie({ ...settings, store }, { kept: scene.secret });
    for (const method of ["load", "save"] as const) {
      const config = { ...settings, store: faulty(scene, method, answer) };
      const serve = withSession(
        config,
        (_, session) => {
          session.set("more", "1");
          return new Response("done");
        },
        {
          onError: (error) => {
            scene.thrown.push(error);
            expect(error).toMatchObject({ code, operation: method, status: 503 });
            return new Response(null, { status: 503 });
          },
        },
      );
      const response = await serve(new Request("http://localhost/", { headers: { cookie } }));
      expect([response.status, response.headers.getSetCookie()]).toEqual([503, []]);
    }
    const healthy = new SessionMiddleware({ ...settings, store });
    expect((await healthy.open(cookie)).toObject()).toEqual({ kept: scene.secret });
  };
}
