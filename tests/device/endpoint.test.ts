// The endpoint of device-bound sessions: what it refuses, and what it answers to.
import { afterEach, describe, expect, it } from "vitest";
import { SessionCookieStore, SessionMemoryStore, type SessionStore } from "kocha-session";
import { openSession } from "kocha-session/express";
import { deviceBinding } from "kocha-session/device";
import { nodeServer } from "../../src/testing/store-laws.ts";
import {
  challengeIn,
  CookieBrowser,
  DeviceBrowser,
  DeviceKeyPair,
} from "../support/device-browser.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import {
  isFresh,
  isEnd,
  type Site,
  type SiteOptions,
  startSite,
  type StoreParts,
  stores,
} from "./site.ts";

const POST = { method: "POST" };
const longCookie = (name: string): boolean => !name.startsWith("session-device");
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(store = "memory", options: SiteOptions = {}): Promise<Site> {
  return openWith(stores[store] as StoreParts, options);
}

async function openWith(parts: StoreParts, options: SiteOptions = {}): Promise<Site> {
  const site = await startSite(nodeServer, parts, options);
  closing.push(site.close);
  return site;
}

describe.each(["memory", "cookie, revocations"])("a registration, over %s", (store) => {
  it("is refused with anything wrong, and nothing is stored", async () => {
    const site = await open(store);
    const browser = await site.browser();
    const login = await browser.visit("/login");
    const challenge = challengeIn(login);
    const { device } = browser;
    const { jwk } = device;
    const other = await DeviceKeyPair.make();
    const [, stranger] = [await site.browser(), await site.browser()];
    const strange = challengeIn(await stranger.visit("/login"));
    const flipped = `${challenge.startsWith("A") ? "B" : "A"}${challenge.slice(1)}`;
    const proofs: Readonly<Record<string, readonly [proof: string | undefined, why: string]>> = {
      "no proof": [undefined, "malformed"],
      "no JWT": ["a.b.c", "malformed"],
      "a long one": [`${"a".repeat(3000)}.b.c`, "malformed"],
      "a made-up challenge": [await device.proof("x", { jwk }), "challenge"],
      "a changed challenge": [await device.proof(flipped, { jwk }), "challenge"],
      "another session's challenge": [await device.proof(strange, { jwk }), "session"],
      "no key": [await device.proof(challenge), "key"],
      "a key of another kind": [
        await device.proof(challenge, { jwk: { ...jwk, crv: "P-384" } }),
        "key",
      ],
      "a short coordinate": [await device.proof(challenge, { jwk: { ...jwk, x: "AAAA" } }), "key"],
      "a key off the curve": [
        await device.proof(challenge, {
          jwk: { ...jwk, x: Buffer.alloc(32, 1).toString("base64url") },
        }),
        "signature",
      ],
      "another's signature": [await device.proof(challenge, { jwk, signer: other }), "signature"],
      "another typ": [await device.proof(challenge, { jwk, typ: "JWT" }), "malformed"],
      none: [await device.proof(challenge, { jwk, alg: "none" }), "key"],
      HS256: [await device.proof(challenge, { jwk, alg: "HS256" }), "key"],
      "another algorithm": [await device.proof(challenge, { jwk, alg: "RS256" }), "key"],
    };
    for (const [what, [proof, why]] of Object.entries(proofs)) {
      const headers = { ...(proof !== undefined && { "secure-session-response": proof }) };
      const reply = await browser.visit("/session/device", { ...POST, headers });
      expect([what, reply.status, reply.setCookie]).toEqual([what, 400, []]);
      expect([what, site.events.at(-1)]).toEqual([what, `refused: ${why}`]);
    }
    site.wait(301);
    expect((await browser.register(login)).status).toBe(400);
    expect(site.events.at(-1)).toBe("refused: challenge");
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none" });
  });

  it("of a script is refused, and one of the browser isn't", async () => {
    const site = await open(store);
    const browser = await site.browser();
    const login = await browser.visit("/login");
    for (const mode of ["cors", "navigate", "same-origin", "websocket"]) {
      const reply = await browser.register(login, { "sec-fetch-mode": mode });
      expect(reply.status).toBe(400);
    }
    expect(site.events.at(-1)).toBe("refused: script");
    expect((await browser.register(login, { "sec-fetch-mode": "no-cors" })).status).toBe(200);
  });
});

describe("a registration", () => {
  it("takes RSA keys of 2048 to 4096 bits", async () => {
    const site = await open();
    const jwkOf = (bytes: number): object => ({
      kty: "RSA",
      e: "AQAB",
      n: Buffer.alloc(bytes, 0xc1).toString("base64url"),
    });
    const browser = await site.browser("RS256");
    const login = await browser.visit("/login");
    const { device } = browser;
    for (const [jwk, why] of [
      [jwkOf(128), "key"],
      [jwkOf(513), "key"],
      [{ ...device.jwk, e: "Aw" }, "key"],
      [jwkOf(256), "signature"],
      [jwkOf(512), "signature"],
    ] as const) {
      const proof = await device.proof(challengeIn(login), { jwk });
      const headers = { "secure-session-response": proof };
      await browser.visit("/session/device", { ...POST, headers });
      expect(site.events.at(-1)).toBe(`refused: ${why}`);
    }
    const { body } = await browser.register(login);
    expect((JSON.parse(body) as { session_identifier: string }).session_identifier).toHaveLength(
      392,
    );
  });

  it("reads bare texts and quoted ones", async () => {
    const site = await open();
    const browser = await site.browser();
    const login = await browser.visit("/login");
    const proof = await browser.device.proof(challengeIn(login), { jwk: browser.device.jwk });
    const headers = { "secure-session-response": `"${proof}"` };
    const reply = await browser.visit("/session/device", { ...POST, headers });
    expect(reply.status).toBe(200);
  });
});

describe.each(["memory", "cookie, revocations"])("a refresh, over %s", (store) => {
  it("asks for a proof, and takes no other than the registered key's", async () => {
    const site = await open(store);
    const browser = await site.bound();
    const first = await browser.ask(undefined);
    expect(first.status).toBe(403);
    expect(first.header("secure-session-challenge")).toMatch(/^"[\w-]{34}";id="[\w-]{136}"$/);
    const challenge = challengeIn(first);
    const { device } = browser;
    const other = await DeviceKeyPair.make();
    const rsa = await DeviceKeyPair.make("RS256");
    const stranger = await site.bound();
    const strange = challengeIn(await stranger.ask(undefined));
    site.wait(0);
    const proofs: Readonly<Record<string, readonly [proof: string, why: string]>> = {
      "another key": [await device.proof(challenge, { signer: other }), "signature"],
      "a key in it": [await device.proof(challenge, { jwk: device.jwk }), "key"],
      "another key in it": [await other.proof(challenge, { jwk: other.jwk }), "key"],
      "another algorithm": [await rsa.proof(challenge), "key"],
      none: [await device.proof(challenge, { alg: "none" }), "key"],
      "another typ": [await device.proof(challenge, { typ: "JWT" }), "malformed"],
      "a made-up challenge": [await device.proof("x"), "challenge"],
      "another session's challenge": [await device.proof(strange), "challenge"],
      nothing: ["", "malformed"],
    };
    for (const [what, [proof, why]] of Object.entries(proofs)) {
      const reply = await browser.ask(proof);
      expect([what, reply.status, reply.setCookie]).toEqual([what, 403, []]);
      expect([what, site.events.at(-1)]).toEqual([what, `challenged: ${why}`]);
    }
    const good = await device.proof(challenge);
    expect(isFresh(await browser.ask(good))).toBe(true);
    // Browsers send one proof again, within the challenge's five minutes.
    site.wait(200);
    expect(isFresh(await browser.ask(good))).toBe(true);
    site.wait(61);
    expect((await browser.ask(good)).status).toBe(403);
  });

  it("ends what isn't ours, is another session's or has ended", async () => {
    const site = await open(store);
    const [browser, other] = [await site.bound(), await site.bound()];
    const { identifier } = browser;
    const flipped = `${identifier.slice(0, -1)}${identifier.endsWith("A") ? "B" : "A"}`;
    for (const text of ["x", "A".repeat(136), "A".repeat(2000), flipped]) {
      browser.identifier = text;
      const reply = await browser.ask(undefined);
      expect(isEnd(reply)).toBe(true);
      expect(JSON.parse(reply.body)).toEqual({ session_identifier: text, continue: false });
    }
    expect(site.events.at(-1)).toBe("ended: unknown");
    browser.identifier = other.identifier;
    expect(isEnd(await browser.ask(undefined))).toBe(true);
    expect(site.events.at(-1)).toBe("ended: session");
    browser.identifier = identifier;
    expect(isFresh(await browser.refresh())).toBe(true);
  });

  it("is no use to a page of another origin, and stored nowhere", async () => {
    const site = await open(store);
    const browser = await site.bound();
    for (const reply of [await browser.ask(undefined), await browser.refresh()]) {
      expect(reply.header("cache-control")).toBe("no-store");
      expect(reply.header("cross-origin-resource-policy")).toBe("same-origin");
      expect(reply.header("x-content-type-options")).toBe("nosniff");
      expect(reply.header("access-control-allow-origin")).toBeUndefined();
      expect(reply.header("access-control-allow-credentials")).toBeUndefined();
    }
  });
});

describe.each(["memory", "a store that answers later"])("without any cookie, over %s", (store) => {
  it("ends with the row, and with a row that is bound to another key", async () => {
    const site = await open(store);
    const browser = await site.browser();
    const login = await browser.visit("/login");
    const other = await site.browser();
    await other.register(login);
    expect(isFresh(await other.refresh(true))).toBe(true);
    await browser.register(login);
    await browser.refresh();
    expect(isEnd(await other.refresh(true))).toBe(true);
    expect(site.events.at(-1)).toBe("ended: bound");
    expect(isFresh(await browser.refresh(true))).toBe(true);
    await browser.visit("/logout");
    expect(isEnd(await browser.refresh(true))).toBe(true);
    expect(site.events.at(-1)).toBe("ended: gone");
  });
});

describe("a store that fails", () => {
  it.each(["load", "save"])(
    "or hangs at each %s is a 503, and the next refresh binds",
    async (call) => {
      const memory = new SessionMemoryStore();
      let fault: "none" | "fails" | "hangs" = "none";
      const guard = <T>(name: string, answer: () => T): T | Promise<T> => {
        if (name !== call || fault === "none") return answer();
        if (fault === "hangs") return new Promise(() => {});
        return Promise.reject(new Error("down, as it was told"));
      };
      const store: SessionStore = {
        capabilities: memory.capabilities,
        load: (id) => guard("load", () => memory.load(id)),
        save: (id, change) => guard("save", () => memory.save(id, change)),
      };
      const site = await openWith(() => ({ store, signingKey: freshKey(), storeTimeout: 0.05 }));
      const browser = await site.browser();
      await browser.register(await browser.visit("/login"));
      for (const one of ["fails", "hangs"] as const) {
        fault = one;
        const reply = await browser.refresh();
        expect([one, reply.status, reply.setCookie]).toEqual([one, 503, []]);
        expect(reply.header("cache-control")).toBe("no-store");
      }
      fault = "none";
      expect(isFresh(await browser.refresh())).toBe(true);
      expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
    },
  );

  it("is a 503 where a request would continue without its session", async () => {
    const memory = new SessionMemoryStore();
    let isDown = false;
    const store: SessionStore = {
      capabilities: memory.capabilities,
      load: (id) => {
        if (isDown) throw new Error("down, as it was told");
        return memory.load(id);
      },
      save: (id, change) => memory.save(id, change),
    };
    const parts = () => ({ store, signingKey: freshKey(), onStoreError: "anonymous" as const });
    const browser = await (await openWith(parts)).bound();
    isDown = true;
    expect((await browser.refresh()).status).toBe(503);
    isDown = false;
    expect(isFresh(await browser.refresh())).toBe(true);
  });
});

describe("over cookies with revocations", () => {
  it("ends copies from before the binding at the first refresh without a device cookie", async () => {
    for (const store of ["cookie, revocations", "cookie, merging, revocations"]) {
      const site = await open(store);
      const browser = await site.browser();
      const login = await browser.visit("/login");
      const early = browser.copy();
      await browser.register(login);
      await browser.refresh();
      expect(await early.read()).toMatchObject({ user: "ann", device: "none" });
      site.wait(601);
      expect(isFresh(await browser.refresh())).toBe(true);
      expect(site.events.at(-1)).toBe("settled");
      expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
      // Past the grace of the replaced credential.
      site.wait(61);
      expect(await early.read()).toMatchObject({ user: "", device: "none" });
      site.wait(601);
      await browser.refresh();
      expect(site.events.at(-1)).toBe("refreshed");
      expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
    }
  });
});

describe("over a cookie that can't be revoked", () => {
  it("binds again what a slow response has put back without the mark", async () => {
    const parts: StoreParts = () => ({ store: new SessionCookieStore(freshKeys()) });
    const site = await openWith(parts);
    const browser = await site.browser();
    const login = await browser.visit("/login");
    const slow = browser.visit("/slow");
    await site.gate.arrived;
    await browser.register(login);
    await browser.refresh();
    expect(await browser.read()).toMatchObject({ device: "bound" });
    site.gate.open();
    await slow;
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none" });
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(await browser.read()).toMatchObject({ device: "bound", keys: ["slow", "user"] });
  });
});

describe("over stores that merge", () => {
  it.each(["memory", "a store that answers later", "cookie, merging"])(
    "keeps the mark when a slow response comes back, over %s",
    async (store) => {
      const site = await open(store);
      const browser = await site.browser();
      const login = await browser.visit("/login");
      const slow = browser.visit("/slow");
      await site.gate.arrived;
      await browser.register(login);
      await browser.refresh();
      site.gate.open();
      await slow;
      expect(await browser.read()).toMatchObject({ device: "bound", keys: ["slow", "user"] });
    },
  );
});

describe("a binding", () => {
  it("only reports, where that is asked for, and binds a new key at a login", async () => {
    for (const store of ["memory", "cookie, revocations"]) {
      const site = await open(store, { device: { stale: "report" } });
      const browser = await site.bound();
      const copy = browser.copy(undefined, longCookie);
      expect(await copy.read()).toMatchObject({ user: "ann", device: "stale", readOnly: false });
      expect(site.events).toEqual(["stale: missing"]);
      expect(await copy.read("/set/x")).toMatchObject({ keys: ["note", "user"] });
      // The browser has lost its key, and logs in again.
      const next = new DeviceBrowser(site.url, site.clock.now, await DeviceKeyPair.make());
      next.put("session", copy.cookie("session") ?? "");
      await next.register(await next.visit("/login"));
      // The session goes on.
      expect(next.names).toEqual(["session", "session-device"]);
      await next.refresh();
      site.wait(61);
      expect(await next.read()).toMatchObject({ user: "ann", device: "bound" });
    }
  });

  it("goes with names that promise more, by a cookie that browsers bind", async () => {
    for (const [name, device, end] of [
      ["__Host-Http-id", "__Host-id-device", "__Secure-id-device-end"],
      ["__Host-id", "__Host-id-device", "__Secure-id-device-end"],
      ["__Http-id", "__Secure-id-device", "__Secure-id-device-end"],
      ["__Secure-id", "__Secure-id-device", "__Secure-id-device-end"],
    ] as const) {
      const site = await open("memory", { config: { name, priority: "high" } });
      const browser = await site.browser();
      const { body } = await browser.register(await browser.visit("/login"));
      expect(body).toContain(
        `"name":"${device}","attributes":"Path=/; Secure; HttpOnly; SameSite=Lax"`,
      );
      await browser.refresh();
      expect(browser.names).toEqual([name, device]);
      await browser.visit("/logout");
      expect(browser.names).toEqual([end]);
    }
  });

  it("goes on in another process, and with a new secret while the old one is kept", async () => {
    const [old, next] = [freshKey(), freshKey()];
    const store = new SessionMemoryStore();
    const ring =
      (...keys: readonly string[]): StoreParts =>
      () => ({
        store,
        keys: keys.map((signingKey) => ({ signingKey })),
      });
    const [first, second, third] = [
      await openWith(ring(old)),
      await openWith(ring(old)),
      await openWith(ring(next, old)),
    ];
    const browser = await first.browser();
    const login = await browser.visit("/login");
    const move = (site: Site): DeviceBrowser => {
      const moved = new DeviceBrowser(site.url, site.clock.now, browser.device);
      for (const name of browser.names) moved.put(name, browser.cookie(name) ?? "");
      moved.identifier = browser.identifier;
      return moved;
    };
    await move(second).register(login);
    await browser.register(login);
    await move(second).refresh();
    expect(await move(third).read()).toMatchObject({ user: "ann", device: "bound" });
    const rotated = move(third);
    expect(isFresh(await rotated.refresh())).toBe(true);
    expect(await rotated.read()).toMatchObject({ user: "ann", device: "bound" });
    // Without the old secret the ticket is none of ours either.
    const last = await openWith(ring(next));
    expect(isEnd(await move(last).refresh())).toBe(true);
  });

  it("counts for upgrades, which nothing answers with a cookie", async () => {
    const parts = { store: slowly(new SessionMemoryStore()), signingKey: freshKey() };
    const site = await openWith(() => parts);
    const browser = await site.bound();
    const config = { ...parts, deviceBinding: deviceBinding(), now: site.clock.now };
    const headers = (cookie: string) => ({ headers: { cookie } });
    const upgraded = await openSession(config, headers(browser.header("/")));
    expect([upgraded.get("user"), upgraded.device]).toEqual(["ann", "bound"]);
    const thief = browser.copy(undefined, longCookie);
    const stale = await openSession(config, headers(thief.header("/")));
    expect([stale.get("user"), stale.device, stale.readOnly]).toEqual(["", "stale", true]);
  });

  it("checks no more device cookies than a request may bring of others", async () => {
    const site = await open();
    const browser = await site.bound();
    const junk = Array.from({ length: 100 }, () => `session-device=${"A".repeat(34)}`).join("; ");
    const good = browser.header("/");
    const headers = { cookie: `${good}; ${junk}` };
    const bare = new CookieBrowser(site.url, site.clock.now);
    expect(await bare.read("/read", { headers })).toMatchObject({ device: "bound" });
    const pushed = { cookie: `${junk}; ${good}` };
    expect(await bare.read("/read", { headers: pushed })).toMatchObject({ device: "stale" });
  });

  it("says so when a session is too full to be bound", async () => {
    const site = await open("memory", { config: { maxKeys: 1 } });
    const browser = await site.browser();
    await browser.register(await browser.visit("/login"));
    expect(isEnd(await browser.refresh())).toBe(true);
    expect(site.events.at(-1)).toBe("refused: limit");
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none" });
  });

  it("stays where a session is too full for a new credential", async () => {
    const site = await open("cookie, revocations");
    const browser = await site.bound();
    let [fits, most] = [1, 4096];
    while (fits < most) {
      const middle = Math.ceil((fits + most) / 2);
      const { status } = await browser.copy().visit(`/set/${"x".repeat(middle)}`);
      if (status === 200) fits = middle;
      else most = middle - 1;
    }
    await browser.visit(`/set/${"x".repeat(fits)}`);
    site.wait(601);
    const reply = await browser.refresh();
    expect(site.events.at(-1)).toBe("refused: limit");
    expect([reply.status, isEnd(reply)]).toEqual([200, false]);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
    // With room again, the next refresh without a device cookie settles it.
    await browser.visit("/set/x");
    site.wait(601);
    await browser.refresh();
    expect(site.events.at(-1)).toBe("settled");
  });

  it("holds while the clock is put back", async () => {
    const site = await open();
    const browser = await site.bound();
    const thief = browser.copy(undefined, longCookie);
    site.wait(-3600);
    expect(await thief.read()).toMatchObject({ user: "", device: "stale" });
  });
});
