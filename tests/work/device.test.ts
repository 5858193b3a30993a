// What a session that can be bound to a device may cost a request, counted in calls into node:crypto.
import {
  memoryRevocations,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { deviceBinding } from "kocha-session/device";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CryptoWork, cryptoWorkOf, watchCrypto } from "../support/count-crypto.ts";
import { bindOn, cookiesIn, logIn } from "../support/device-engine.ts";
import { freshKey, freshKeys } from "../support/keys.ts";

let unwatch: () => void;
beforeAll(() => {
  unwatch = watchCrypto();
});
afterAll(() => unwatch());

const nothing: CryptoWork = { seals: 0, opens: 0, tags: 0, hashes: 0, randoms: 0, others: 0 };
/** More than a minute: requests without a device cookie don't count any more. */
const LATER = 61_000;

const stores: Readonly<Record<string, (now: () => number) => SessionConfig>> = {
  memory: (now) => ({ store: new SessionMemoryStore({ now }), signingKey: freshKey() }),
  "cookie, revocations": (now) => ({
    store: new SessionCookieStore(freshKeys()),
    revocations: memoryRevocations({ now }),
    sessionExpires: 86_400,
  }),
};

function read(engine: SessionMiddleware, cookie: string, device: string): Promise<CryptoWork> {
  return cryptoWorkOf(async () => {
    const session = await engine.open(cookie);
    expect([session.get("user"), session.device]).toEqual(["ann", device]);
    await engine.commit(session);
  });
}

describe.each(Object.entries(stores))("over %s", (_, makeConfig) => {
  let turned = 0;
  const now = (): number => Date.now() + turned;
  const make = (): SessionMiddleware =>
    new SessionMiddleware({ ...makeConfig(now), now, deviceBinding: deviceBinding() });

  test("an unbound session's request looks at no device cookie", async () => {
    const engine = make();
    const cookie = cookiesIn((await logIn(engine)).setCookie);
    for (let sight = 0; sight < 3; sight++) await read(engine, cookie, "none");
    const other = (await bindOn(engine)).cookie.split("; ").at(-1);
    expect(await read(engine, `${cookie}; ${other}`, "none")).toEqual(nothing);
  });

  test("a device cookie is verified twice for all its requests, then never again", async () => {
    const engine = make();
    const { cookie } = await bindOn(engine);
    turned += LATER;
    for (let sight = 0; sight < 2; sight++) {
      expect((await read(engine, cookie, "bound")).tags).toBeGreaterThan(0);
    }
    expect(await read(engine, cookie, "bound")).toEqual(nothing);
  });
});
