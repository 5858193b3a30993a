// Our stores under the conformance kit.
import { memoryRevocations, SessionCookieStore, SessionMemoryStore } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { fakeClock, storeLaws, type MakeStore } from "kocha-session/testing";
import { describe, test } from "vitest";
import { freshKeys } from "../support/keys.ts";

const clock = fakeClock();
const seed = Number(process.env["FC_SEED"] ?? 42);
const runs = Number(process.env["FC_RUNS"] ?? 200);

const stores: Readonly<Record<string, MakeStore>> = {
  "memory store": async () => {
    const store = new SessionMemoryStore({ now: clock.now });
    return { store, close: () => store.close() };
  },
  "cookie store": async () => ({
    store: new SessionCookieStore({ ...freshKeys() }),
    close: () => undefined,
  }),
  "cookie store with revocations": async () => ({
    store: new SessionCookieStore({ ...freshKeys(), maxCookies: 2 }),
    config: { revocations: memoryRevocations({ now: clock.now }), sessionExpires: 86_400 },
    close: () => undefined,
  }),
  "merging cookie store": async () => ({
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
    close: () => undefined,
  }),
  "merging cookie store with revocations": async () => ({
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
    config: { revocations: memoryRevocations({ now: clock.now }), sessionExpires: 86_400 },
    close: () => undefined,
  }),
  "cookie store, split": async () => ({
    store: new SessionCookieStore({ ...freshKeys(), maxCookies: 2 }),
    close: () => undefined,
  }),
};

describe.each(Object.entries(stores))("the %s", async (name, makeStore) => {
  const cases = await storeLaws(makeStore, { name: `the ${name}`, clock, seed, runs });
  const applying = cases.filter(({ applies }) => applies === true);
  test.each(applying)("$id", ({ run }) => run());
});
