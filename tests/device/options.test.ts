// The options of deviceBinding, and what doesn't fit the configuration.
import { describe, expect, it } from "vitest";
import {
  memoryRevocations,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import type { SealedSessionStore } from "kocha-session/contract";
import { deviceBinding, type DeviceBindingOptions } from "kocha-session/device";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { thrownBy } from "../support/thrown.ts";

function make(
  options: DeviceBindingOptions,
  config: Partial<SessionConfig> = {},
): SessionMiddleware {
  return new SessionMiddleware({
    store: new SessionMemoryStore(),
    ...((config.store === undefined || !("sealed" in config.store)) && { signingKey: freshKey() }),
    deviceBinding: deviceBinding(options),
    ...config,
  });
}

function fieldOf(options: object, config: Partial<SessionConfig> = {}): unknown {
  const error = thrownBy(() => make(options, config)) as Error;
  return [
    (error as unknown as { code: string }).code,
    (error as unknown as { field: string }).field,
  ];
}

const FIELD = "ERR_SESSION_CONFIG_FIELD";

describe("deviceBinding", () => {
  it.each([
    [{ refreshSeconds: 59 }, "refreshSeconds"],
    [{ refreshSeconds: 60.5 }, "refreshSeconds"],
    [{ refreshSeconds: "600" }, "refreshSeconds"],
    [{ refreshSeconds: 600_000_000 }, "refreshSeconds"],
    [{ stale: "open" }, "stale"],
    [{ exclude: "/assets" }, "exclude"],
    [{ exclude: ["assets"] }, "exclude"],
    [{ exclude: ['/a"b'] }, "exclude"],
    [{ refreshFrom: ["https://a.example"] }, "refreshFrom"],
    [{ acceptUnboundCopies: 1 }, "acceptUnboundCopies"],
    [{ path: "session/device" }, "path"],
    [{ path: "/a?b" }, "path"],
    [{ path: "/a b" }, "path"],
    [{ path: '/a"b' }, "path"],
    [{ path: "/" }, "path"],
    [{ path: "//" }, "path"],
    [{ path: "//evil.example/a" }, "path"],
    [{ path: "/a/../b" }, "path"],
    [{ path: "/a/%2e/b" }, "path"],
    [{ path: "/a{b}" }, "path"],
    [{ path: "/a#b" }, "path"],
    [{ pathh: "/x" }, "pathh"],
  ])("refuses %j", (options, field) => {
    expect(fieldOf(options)).toEqual([FIELD, `deviceBinding.${field}`]);
  });

  it.each([
    [{ partitioned: true }, "partitioned"],
    [{ domain: "example.org" }, "domain"],
    [{ secure: false }, "secure"],
    [{ store: new SessionCookieStore(freshKeys()) }, "deviceBinding"],
    [{ deviceBinding: {} as never }, "deviceBinding"],
  ] satisfies [Partial<SessionConfig>, string][])("doesn't go with %j", (config, field) => {
    expect(fieldOf({}, config)).toEqual([FIELD, field]);
  });

  it("stays below the cookie's path", () => {
    expect(make({}, { path: "/shop" }).devices?.path).toBe("/shop/session/device");
    expect(make({}, { path: "/shop/" }).devices?.path).toBe("/shop/session/device");
    expect(make({ path: "/shop/d" }, { path: "/shop" }).devices?.path).toBe("/shop/d");
    for (const path of ["/shop", "/shopping/d", "/d"]) {
      expect(fieldOf({ path }, { path: "/shop" })).toEqual([FIELD, "deviceBinding.path"]);
    }
  });

  it("goes with a cookie store that revokes, only reports, or bears copies", () => {
    const store = new SessionCookieStore(freshKeys());
    const revocations = memoryRevocations();
    expect(make({}, { store, revocations, sessionExpires: 60 }).devices).toBeDefined();
    expect(make({ stale: "report" }, { store }).devices).toBeDefined();
    expect(make({ acceptUnboundCopies: true }, { store }).devices).toBeDefined();
  });

  it("has device cookies that no script reads, whatever the session's cookie is", async () => {
    const config = { httpOnly: false, secure: "auto" } as const;
    const engine = make({}, config);
    const session = await engine.open("session-device=x");
    await session.destroy();
    const { setCookie } = await engine.commit(session);
    expect(setCookie).toEqual([
      expect.stringMatching(/^session-device=; Max-Age=0; .*; Secure; HttpOnly; SameSite=Lax$/),
    ]);
  });

  it("needs a store's ring of secrets", () => {
    const inner = new SessionCookieStore(freshKeys());
    const store: SealedSessionStore = {
      sealed: true,
      open: (cookies, context) => inner.open(cookies, context),
      write: (found, change, context) => inner.write(found, change, context),
    };
    expect(fieldOf({ acceptUnboundCopies: true }, { store })).toEqual([FIELD, "deviceBinding"]);
  });

  it.each([
    { store: slowly(new SessionMemoryStore()), signingKey: freshKey() },
    { store: new SessionCookieStore(freshKeys()) },
  ])("is no part of a session without it, and costs nothing", async (config) => {
    const engine = new SessionMiddleware(config);
    const session = await engine.open(undefined);
    session.bindDevice();
    expect(engine.stageOf(session)).toBe("unopened");
    expect(await engine.commit(session)).toMatchObject({
      setCookie: [],
      headers: [],
      vary: false,
      noStore: false,
    });
    expect(session.device).toBe("none");
    expect(engine.devices).toBeUndefined();
  });

  it("keeps its entry from the application", async () => {
    const session = await make({}).open(undefined);
    const reserved = { code: "ERR_SESSION_USAGE_RESERVED" };
    expect(() => session.set("_device.key", "x")).toThrow(expect.objectContaining(reserved));
    expect(() => session.del("_device.key")).toThrow(expect.objectContaining(reserved));
    await expect(session.update("_device.key", () => "x")).rejects.toMatchObject(reserved);
    await expect(session.take("_device.key")).rejects.toMatchObject(reserved);
    expect(session.get("_device.key")).toBe("");
  });
});
