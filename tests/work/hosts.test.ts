// What a request may cost on each host, counted over real sockets: the adapters must add nothing to
// the engine's work, however often they are mounted.
import {
  SessionCookieStore,
  SessionMemoryStore,
  type Session,
  type SessionConfig,
} from "kocha-session";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client } from "../../src/testing/client.ts";
import { counting } from "../support/count-store.ts";
import { cryptoWorkOf, watchCrypto } from "../support/count-crypto.ts";
import { hosts } from "../support/hosts.ts";
import { freshKey, freshKeys } from "../support/keys.ts";

let unwatch: () => void;
beforeAll(() => {
  unwatch = watchCrypto();
});
afterAll(() => unwatch());

let changes = 0;
const handlers: Readonly<Record<string, (session: Session) => string>> = {
  "/idle": () => "idle",
  "/read": (session) => session.get("visits"),
  "/write": (session) => {
    session.set("visits", String(++changes));
    return "written";
  },
};

/** A server of the host, and what one request costs on it. */
async function serve(host: string, kind: "cookie" | "memory") {
  const { store, work } = counting(
    kind === "cookie"
      ? new SessionCookieStore({ ...freshKeys(), rememberTokens: false })
      : new SessionMemoryStore(),
  );
  const config: SessionConfig = {
    store,
    name: "sid",
    // The client speaks plain http, and its jar is a browser's.
    secure: "auto",
    ...(kind === "memory" && { signingKey: freshKey() }),
  };
  const makeServer = hosts[host];
  if (makeServer === undefined) throw new Error(`no host is called ${host}`);
  const { close, url } = await makeServer(config, (session, { pathname }) => ({
    status: 200,
    body: handlers[pathname]?.(session) ?? "unknown",
  }));
  const visitor = new Client(url);
  // What is made once is made.
  for (let i = 0; i < 3; i++) await visitor.get("/write");
  const cost = async (path: string, client = visitor) => {
    work.reads = work.writes = 0;
    let setCookies = 0;
    const { opens, others, seals, tags } = await cryptoWorkOf(async () => {
      const reply = await client.get(path);
      expect(reply.status).toBe(200);
      setCookies = reply.setCookie.length;
    });
    return { seals, opens, tags, others, ...work, setCookies };
  };
  return { close, cost, stranger: () => new Client(url) };
}

const none = { seals: 0, opens: 0, tags: 0, others: 0, reads: 0, writes: 0, setCookies: 0 };

describe.each(Object.keys(hosts))("%s", (host) => {
  test("cookie sessions: nothing unasked, one open a read, one seal a write", async () => {
    const { close, cost, stranger } = await serve(host, "cookie");
    try {
      expect(await cost("/idle", stranger())).toEqual(none);
      expect(await cost("/read", stranger())).toEqual(none);
      expect(await cost("/idle")).toEqual(none);
      expect(await cost("/read")).toEqual({ ...none, opens: 1, reads: 1 });
      const write = { ...none, opens: 1, seals: 1, reads: 1, writes: 1, setCookies: 1 };
      expect(await cost("/write")).toEqual(write);
    } finally {
      await close();
    }
  });

  test("server-side sessions: nothing for strangers, one read, one write", async () => {
    const { close, cost, stranger } = await serve(host, "memory");
    try {
      expect(await cost("/read", stranger())).toEqual(none);
      expect(await cost("/read")).toEqual({ ...none, reads: 1 });
      expect(await cost("/write")).toEqual({ ...none, reads: 1, writes: 1 });
    } finally {
      await close();
    }
  });
});
