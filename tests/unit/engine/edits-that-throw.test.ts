// An edit that throws leaves nothing behind, on every kind of store, new session or stored: neither of
// the step nor of what the edit itself did to the session.
import { describe, expect, test } from "vitest";
import { SessionCookieStore } from "../../../src/stores/cookie.ts";
import { mergingCookies } from "../../../src/merge/index.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { freshKeys } from "../../support/keys.ts";
import { slowly } from "../../support/latency.ts";
import { Clock, makeWorld } from "./client.ts";

const kinds = {
  memory: (clock: Clock) => new SessionMemoryStore({ now: clock.now }),
  "memory, later": (clock: Clock) => slowly(new SessionMemoryStore({ now: clock.now })),
  cookie: () => new SessionCookieStore(freshKeys()),
  "merging cookies": () => new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
};

describe.each(Object.entries(kinds))("over %s", (_, make) => {
  test.each([[{}], [{ kept: "1" }]])("beside what is stored: %o", async (data) => {
    const clock = new Clock();
    const client = makeWorld(make(clock), {}, clock).newClient();
    await client.request((session) => {
      for (const [key, value] of Object.entries(data)) session.set(key, value);
    });
    await client.request(async (session) => {
      session.set("mine", "2");
      const edited = session.update("key", () => {
        session.set("inside", "3");
        throw new Error("the edit's own");
      });
      await expect(edited).rejects.toThrow("the edit's own");
      expect(session.toObject()).toEqual({ ...data, mine: "2" });
    });
    await client.request((session) => {
      expect(session.toObject()).toEqual({ ...data, mine: "2" });
    });
  });
});
