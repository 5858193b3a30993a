// What the command line, OpenTelemetry, lists of sessions and the demo say of device-bound sessions.
import { afterEach, describe, expect, it } from "vitest";
import {
  type DeviceEvent,
  listSessions,
  memoryRevocations,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
} from "kocha-session";
import { deviceBinding } from "kocha-session/device";
import { observe, type OtelAttributes } from "kocha-session/otel";
import { diagnose } from "../../src/cli/diagnosis.ts";
import { examineDevice } from "../../src/cli/inspect-device.ts";
import { createSigningKeyring } from "../../src/crypto/keyring.ts";
import { nodeServer } from "../../src/testing/store-laws.ts";
import { DeviceBrowser, DeviceKeyPair } from "../support/device-browser.ts";
import { startDemo } from "../support/demo.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { startSite } from "./site.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe("doctor", () => {
  const levelsOf = (config: SessionConfig): string[] =>
    diagnose({ absoluteExpires: 86_400, sessionExpires: 3600, ...config }).flatMap(
      ({ level, field, message }) =>
        field.startsWith("deviceBinding") ? [`${level}: ${message}`] : [],
    );
  const store = new SessionCookieStore(freshKeys());

  it("says where the endpoint is", () => {
    const config = { store: new SessionMemoryStore(), signingKey: freshKey() };
    const [note, ...rest] = levelsOf({ ...config, deviceBinding: deviceBinding() });
    expect(note).toMatch(/^note: experimental; browsers .* at \/session\/device/);
    expect(rest).toEqual([]);
    expect(levelsOf(config)).toEqual([]);
  });

  it("warns of what is open, and names what doesn't fit", () => {
    const bare = (options: Parameters<typeof deviceBinding>[0]): string[] =>
      levelsOf({ store, deviceBinding: deviceBinding(options) }).slice(1);
    expect(bare({ acceptUnboundCopies: true })).toEqual([
      expect.stringMatching(/^warning: a copy of the cookie from before the binding/),
    ]);
    expect(bare({ stale: "report" })).toEqual([
      expect.stringMatching(/^note: with stale: "report"/),
    ]);
    expect(bare({ stale: "report", refreshSeconds: 60 })[1]).toMatch(/^warning: 60 is short/);
    expect(levelsOf({ store, deviceBinding: deviceBinding() })).toEqual([
      expect.stringMatching(/^error: over a cookie store needs revocations/),
    ]);
    const revocations = memoryRevocations();
    expect(levelsOf({ store, revocations, deviceBinding: deviceBinding() })).toHaveLength(1);
  });
});

describe("inspect", () => {
  it("tells whose a device cookie is, and when it ends", async () => {
    const keys = freshKeys();
    const cookieStore = new SessionCookieStore(keys);
    const site = await startSite(nodeServer, () => ({ store: cookieStore }));
    closing.push(site.close);
    const [one, other] = [await site.bound(), await site.bound()];
    const header = one.header("/");
    const [opened] = sessionsIn(cookieStore, header);
    const [stranger] = sessionsIn(cookieStore, other.header("/"));
    expect(opened?.data.has("_device.key")).toBe(true);
    const examine = (sessions: Parameters<typeof examineDevice>[3], ring = cookieStore.ring) =>
      examineDevice([header], "session", ring, sessions);
    const [found] = examine(opened === undefined ? [] : [opened]);
    expect(found).toMatchObject({ name: "session-device", device: { ofThisSession: true } });
    expect(Date.parse(found?.device.end ?? "")).toBe(site.clock.now() + (600 - 122) * 1000);
    expect(examine(stranger === undefined ? [] : [stranger])[0]?.device.ofThisSession).toBe(false);
    const others = createSigningKeyring({ signingKey: freshKey() });
    expect(examine(opened === undefined ? [] : [opened], others)[0]?.device.ofThisSession).toBe(
      false,
    );
    expect(examine([])[0]?.device).not.toHaveProperty("ofThisSession");
    for (const value of ["", "x", "A".repeat(34), "A".repeat(400)]) {
      expect(examineDevice([`session-device=${value}`], "session", undefined, [])).toEqual([]);
    }
  });
});

/** The session in a Cookie header. */
function sessionsIn(store: SessionCookieStore, header: string) {
  const value = /(?:^|; )session=([^;]*)/.exec(header)?.[1] ?? "";
  const opened = store.open([{ name: "session", value }], { name: "session", now: Date.now() });
  return opened !== undefined && "id" in opened ? [opened] : [];
}

describe("OpenTelemetry", () => {
  it("counts the events by kind and reason", () => {
    const counted: [string, OtelAttributes | undefined][] = [];
    const observers = observe({
      meter: {
        createCounter: (name) => ({
          add: (_, attributes) => void counted.push([name, attributes]),
        }),
        createHistogram: () => ({ record: () => undefined }),
      },
    });
    const events: DeviceEvent[] = [
      { id: "x", what: "bound" },
      { id: "x", what: "stale", why: "missing" },
    ];
    for (const event of events) observers.device?.(event);
    expect(counted).toEqual([
      ["kocha_session.device", { "kocha_session.device.event": "bound" }],
      [
        "kocha_session.device",
        { "kocha_session.device.event": "stale", "kocha_session.reason": "missing" },
      ],
    ]);
  });
});

describe("a list of a user's sessions", () => {
  it("tells which are bound", async () => {
    const store = new SessionMemoryStore();
    const site = await startSite(nodeServer, () => ({ store, signingKey: freshKey() }));
    closing.push(site.close);
    const browser = await site.bound();
    await browser.visit("/bind");
    await (await site.browser()).visit("/bind");
    const found: boolean[] = [];
    for await (const { isDeviceBound, data } of listSessions(store, "ann")) {
      found.push(isDeviceBound);
      expect(data.has("_device.key")).toBe(false);
    }
    expect(found.toSorted((one, other) => Number(one) - Number(other))).toEqual([false, true]);
  });
});

describe("the demo", () => {
  it("shows on its page of devices that a session is bound to this one", async () => {
    const demo = await startDemo("memory");
    closing.push(demo.close);
    const browser = new DeviceBrowser(demo.url, Date.now, await DeviceKeyPair.make());
    const login = await browser.visit("/login", { form: { name: "ada" } });
    expect((await browser.visit("/devices")).body).not.toContain("bound to");
    await browser.register(login);
    await browser.refresh();
    expect((await browser.visit("/devices")).body).toContain("bound to this device");
    const elsewhere = new DeviceBrowser(demo.url, Date.now, await DeviceKeyPair.make());
    await elsewhere.visit("/login", { form: { name: "ada" } });
    expect((await elsewhere.visit("/devices")).body).toContain("bound to its device");
  });
});
