// WebSocket upgrades on every host, with a real client: the session is there, it can't be changed,
// and who has none, has a made-up one, or meets a store that is down, gets no socket.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { upgradeApps } from "./upgrades.ts";

const configs: Readonly<Record<string, () => SessionConfig>> = {
  memory: () => ({ store: new SessionMemoryStore(), signingKey: freshKey() }),
  cookie: () => ({ store: new SessionCookieStore(freshKeys()) }),
};

/** What a client gets that asks for a socket: a message, or the status that refuses it. */
async function connect(url: string, cookie: string | undefined) {
  const headers = cookie === undefined ? {} : { cookie };
  const socket = new WebSocket(url.replace("http:", "ws:"), { headers });
  socket.on("error", () => undefined);
  const handshake = once(socket, "upgrade") as Promise<[IncomingMessage]>;
  const message = once(socket, "message") as Promise<[Buffer]>;
  const refusal = once(socket, "unexpected-response") as Promise<[unknown, IncomingMessage]>;
  // Of the three only some come; the others fail when the socket is closed.
  for (const one of [handshake, message, refusal]) one.catch(() => undefined);
  const answer = await Promise.race([
    refusal.then(([, response]) => ({
      status: response.statusCode,
      says: undefined,
      setCookie: [],
    })),
    message.then(async ([data]) => {
      const [response] = await handshake;
      const setCookie = response.headers["set-cookie"] ?? [];
      return { status: 101, says: data.toString(), setCookie };
    }),
  ]);
  socket.terminate();
  return answer;
}

describe.each(Object.entries(upgradeApps))("an upgrade on %s", (_, makeApp) => {
  const start = async (config: SessionConfig) => {
    const { url, close } = await makeApp(config);
    onTestFinished(close);
    return (cookie: string | undefined) => connect(url, cookie);
  };

  test.each(Object.entries(configs))(
    "has the session of the %s store, read-only",
    async (__, make) => {
      const config = make();
      const join = await start(config);
      const cookie = await mintCookie(config, { name: "alice" });
      expect(await join(cookie)).toEqual({
        status: 101,
        says: "alice ERR_SESSION_USAGE_READ_ONLY",
        setCookie: [],
      });
      expect(await readCookie(config, cookie)).toEqual(new Map([["name", "alice"]]));
    },
  );

  test.each(Object.entries(configs))(
    "refuses who has no session in the %s store",
    async (__, make) => {
      const config = make();
      const join = await start(config);
      const nameless = await mintCookie(config, { other: "1" });
      const foreign = await mintCookie(make(), { name: "mallory" });
      for (const cookie of [undefined, "session=", "session=made-up", nameless, foreign]) {
        expect(await join(cookie)).toMatchObject({ status: 401 });
      }
    },
  );

  test("a store that is down is a 503, not a visitor without a session", async () => {
    const spy = spyOn(new SessionMemoryStore());
    const config = { store: spy.store, signingKey: freshKey() };
    const cookie = await mintCookie(config, { name: "alice" });
    const join = await start(config);
    spy.fault = "load";
    expect(await join(cookie)).toMatchObject({ status: 503 });
    spy.fault = undefined;
    expect(await join(cookie)).toMatchObject({ status: 101 });
  });

  test('a store that is down is no logout where `onStoreError` is "anonymous"', async () => {
    const spy = spyOn(new SessionMemoryStore());
    const config: SessionConfig = {
      store: spy.store,
      signingKey: freshKey(),
      onStoreError: "anonymous",
    };
    const cookie = await mintCookie(config, { name: "alice" });
    const join = await start(config);
    spy.fault = "load";
    expect(await join(cookie)).toMatchObject({ status: 503 });
    spy.fault = undefined;
    expect(await join(cookie)).toMatchObject({ status: 101 });
  });
});
