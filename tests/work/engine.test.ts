// What a request may cost, counted: calls into node:crypto, of the store, and Set-Cookie headers.
// Timings drift; these don't.
import {
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
  type Session,
  type SessionConfig,
  type AnySessionStore,
} from "kocha-session";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { counting } from "../support/count-store.ts";
import { type CryptoWork, cryptoWorkOf, watchCrypto } from "../support/count-crypto.ts";
import { freshKey, freshKeys } from "../support/keys.ts";

let unwatch: () => void;
beforeAll(() => {
  unwatch = watchCrypto();
});
afterAll(() => unwatch());

/** Crypto, store and cookies of one request; random bytes come from a pool and are counted apart. */
type Work = Omit<CryptoWork, "randoms"> & {
  reads: number;
  writes: number;
  setCookies: number;
};

const none: Work = {
  seals: 0,
  opens: 0,
  tags: 0,
  hashes: 0,
  others: 0,
  reads: 0,
  writes: 0,
  setCookies: 0,
};

/** One engine and one client with a session. */
async function visitor(inner: AnySessionStore, config: Partial<SessionConfig> = {}) {
  const { store, work } = counting(inner);
  const engine = new SessionMiddleware({ store, name: "sid", ...config });
  let cookie: string | undefined;
  const request = async (
    header: string | undefined,
    handle: (session: Session) => unknown,
  ): Promise<Work> => {
    work.reads = work.writes = 0;
    let setCookies = 0;
    const { randoms: _, ...crypto } = await cryptoWorkOf(async () => {
      const session = await engine.open(header);
      await handle(session);
      const effects = await engine.commit(session);
      setCookies = effects.setCookie.length;
      cookie = effects.setCookie[0]?.split(";", 1)[0] ?? cookie;
    });
    return { ...crypto, ...work, setCookies };
  };
  let changes = 0;
  const change = (session: Session): void => session.set("visits", String(++changes));
  const read = (session: Session): string => session.get("visits");
  // What is made once is made: subkeys, key objects, additional data.
  for (let i = 0; i < 3; i++) await request(cookie, change);
  return {
    change,
    read,
    request,
    /** With the session's own cookie. */
    own: (handle: (session: Session) => unknown) => request(cookie, handle),
  };
}

const idle = (): undefined => undefined;

describe("a cookie session", () => {
  const remembering = (): AnySessionStore => new SessionCookieStore(freshKeys());
  const forgetful = (): AnySessionStore =>
    new SessionCookieStore({ ...freshKeys(), rememberTokens: false });

  test("costs nothing without a cookie, touched or not", async () => {
    const { change: _, read, request } = await visitor(forgetful());
    expect(await request(undefined, idle)).toEqual(none);
    expect(await request(undefined, read)).toEqual(none);
  });

  test("costs nothing when the handler leaves it alone", async () => {
    const { own } = await visitor(forgetful());
    expect(await own(idle)).toEqual(none);
  });

  test("is opened once for a read, and nothing is sealed", async () => {
    const { own, read } = await visitor(forgetful());
    expect(await own(read)).toEqual({ ...none, opens: 1, reads: 1 });
    const twice = (session: Session): string => read(session) + read(session);
    expect(await own(twice)).toEqual({ ...none, opens: 1, reads: 1 });
  });

  test("is opened once and sealed once for a write", async () => {
    const { change, own } = await visitor(forgetful());
    const expected = { ...none, opens: 1, seals: 1, reads: 1, writes: 1, setCookies: 1 };
    expect(await own(change)).toEqual(expected);
    const changeTwice = (session: Session): void => {
      change(session);
      change(session);
    };
    expect(await own(changeTwice)).toEqual(expected);
  });

  test("is not sealed when an equal value is set", async () => {
    const { own, read } = await visitor(forgetful());
    const setEqual = (session: Session): void => session.set("visits", read(session));
    expect(await own(setEqual)).toEqual({ ...none, opens: 1, reads: 1 });
  });

  test("is sealed once for a new one, and nothing is opened", async () => {
    const { change, request } = await visitor(forgetful());
    const expected = { ...none, seals: 1, writes: 1, setCookies: 1 };
    expect(await request(undefined, change)).toEqual(expected);
  });

  test("is opened twice for all requests with the same token, then never again", async () => {
    const { change, own, read } = await visitor(remembering());
    for (let sight = 0; sight < 2; sight++) {
      expect(await own(read)).toEqual({ ...none, opens: 1, reads: 1 });
    }
    expect(await own(read)).toEqual({ ...none, reads: 1 });
    const write = { ...none, seals: 1, reads: 1, writes: 1, setCookies: 1 };
    expect(await own(change)).toEqual(write);
  });

  test("takes its randomness from a pool", async () => {
    const { change, request } = await visitor(forgetful());
    // An id and a nonce for each of them: 28 bytes, so that 4096 last for 146.
    const { randoms } = await cryptoWorkOf(async () => {
      for (let i = 0; i < 438; i++) await request(undefined, change);
    });
    expect(randoms).toBeGreaterThanOrEqual(1);
    expect(randoms).toBeLessThanOrEqual(4);
  });
});

describe("a session of a server-side store", () => {
  const make = () => visitor(new SessionMemoryStore(), { signingKey: freshKey() });

  test("costs nothing without a cookie", async () => {
    const { read, request } = await make();
    expect(await request(undefined, idle)).toEqual(none);
    expect(await request(undefined, read)).toEqual(none);
  });

  test("is one read of the store, whatever the handler reads", async () => {
    const { own, read } = await make();
    // The key was verified when it came first.
    expect(await own(read)).toEqual({ ...none, reads: 1 });
    expect(await own(idle)).toEqual({ ...none, reads: 1 });
  });

  test("is one read and one write of the store for a change, and no cookie", async () => {
    const { change, own } = await make();
    expect(await own(change)).toEqual({ ...none, reads: 1, writes: 1 });
  });

  test("asks the store nothing about a forged key", async () => {
    const { read, request } = await make();
    const forged = `sid=${Buffer.alloc(41, 1).toString("base64url")}`;
    expect(await request(forged, read)).toMatchObject({ reads: 0, writes: 0, setCookies: 0 });
  });

  test("is one tag for a new one", async () => {
    const { change, request } = await make();
    const expected = { ...none, tags: 1, writes: 1, setCookies: 1 };
    expect(await request(undefined, change)).toEqual(expected);
  });
});

test("the library hashes nothing and makes no key when it is imported", async () => {
  vi.resetModules();
  const work = await cryptoWorkOf(async () => {
    const { SessionMiddleware: again } = await import("kocha-session");
    // Else it was not evaluated anew, and the count would say nothing.
    expect(again).not.toBe(SessionMiddleware);
  });
  expect(work).toEqual({ seals: 0, opens: 0, tags: 0, hashes: 0, randoms: 0, others: 0 });
});
