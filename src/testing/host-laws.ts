// The requirements on a host's adapter: every law with the memory store and the cookie store over real
// sockets, and faults that only a host can have.
import type { SessionConfig } from "../engine/config.ts";
import { DAY } from "../base/time.ts";
import { memoryRevocations } from "../revocations/memory.ts";
import { mergingCookies } from "../merge/index.ts";
import { SessionCookieStore } from "../stores/cookie.ts";
import { SessionMemoryStore } from "../stores/memory.ts";
import { type ConformanceCase, defineCase, must, mustEqual } from "./case.ts";
import { Client } from "./client.ts";
import { fakeClock } from "./clock.ts";
import { lawCases } from "./law-cases.ts";
import type { MakeServer } from "./laws/stage.ts";
import { Gate, probe, type ProbeState, spyOn } from "./probe.ts";
import { randomKey } from "./store-laws.ts";

/** Options of a host's cases. */
export interface HostLawsOptions {
  /** The host's name in messages. Default "the host". */
  readonly name?: string;
}

/** The cases for a host: `makeServer` is called for each. */
export function hostLaws(
  makeServer: MakeServer,
  options: HostLawsOptions = {},
): readonly ConformanceCase[] {
  const { name = "the host" } = options;
  const stores = [
    { kind: "memory store", sealed: false, revocable: false, merge: false },
    { kind: "cookie store", sealed: true, revocable: false, merge: false },
    { kind: "cookie store with revocations", sealed: true, revocable: true, merge: false },
    { kind: "cookie store, merging", sealed: true, revocable: false, merge: true },
    { kind: "cookie store, merging with revocations", sealed: true, revocable: true, merge: true },
  ];
  const laws = stores.flatMap(({ kind, sealed, revocable, merge }) => {
    const clock = fakeClock();
    return lawCases({
      subject: `${name} with the ${kind}`,
      suffix: ` (${kind})`,
      makeServer,
      clock,
      hasFakeClock: true,
      sealed,
      atomic: !sealed,
      exact: !sealed,
      merges: merge,
      revocable,
      makeConfig: async () => makeConfig(sealed, clock.now, revocable, merge),
    });
  });
  return [...laws, ...hostCases(name, makeServer)];
}

function makeConfig(
  sealed: boolean,
  now: () => number,
  revocable = false,
  merge = false,
): { readonly config: SessionConfig; readonly close: () => void } {
  if (sealed) {
    const keys = { secretKey: randomKey(), signingKey: randomKey() };
    const store = new SessionCookieStore({
      ...keys,
      ...(merge && { merge: mergingCookies() }),
    });
    const config = { store, ...(revocable && revocationsFor(now)) };
    return { config, close: () => undefined };
  }
  const store = new SessionMemoryStore({ now });
  return { config: { store, signingKey: randomKey() }, close: () => store.close() };
}

/** Revocations outlive sessions, so the configuration needs an idle timeout. */
function revocationsFor(now: () => number): Pick<SessionConfig, "revocations" | "sessionExpires"> {
  return { revocations: memoryRevocations({ now }), sessionExpires: DAY };
}

function hostCases(name: string, makeServer: MakeServer): ConformanceCase[] {
  const stage = async (
    test: (client: Client, state: ProbeState, spy: ReturnType<typeof spyOn>) => Promise<void>,
  ): Promise<void> => {
    const store = new SessionMemoryStore();
    const spy = spyOn(store);
    const state: ProbeState = { gates: new Map(), last: undefined, caught: undefined };
    const settings = { store: spy.store, signingKey: randomKey(), secure: false, storeTimeout: 30 };
    const server = await makeServer(settings, probe(state));
    try {
      await test(new Client(server.url), state, spy);
    } finally {
      for (const gate of state.gates.values()) gate.open();
      await server.close();
      store.close();
    }
  };
  const define = (id: string, test: Parameters<typeof stage>[0]): ConformanceCase =>
    defineCase(name, { id, run: () => stage(test) });
  return [
    define("L8 cookies: the application's own Set-Cookie stays beside ours", async (client) => {
      const { setCookie } = await client.get("/set/a/1/header/Set-Cookie/own=1");
      const names = setCookie.map((cookie) => cookie.slice(0, cookie.indexOf("="))).toSorted();
      mustEqual(names, ["own", "session"], "the cookies of the response");
    }),
    define(
      "L11 caches: Vary with every look, no-store with every cookie, neither without",
      async (client) => {
        const untouched = await client.get("/status/200");
        mustEqual(
          [untouched.headers.get("vary"), untouched.headers.get("cache-control")],
          [null, null],
          "Vary and Cache-Control of a request that doesn't look",
        );
        for (const path of ["/get/a", "/size", "/dump", "/id"]) {
          must(
            hasToken((await client.get(path)).headers.get("vary"), "cookie"),
            `${path} has no Vary: Cookie`,
          );
        }
        const written = await client.get("/set/a/1");
        must(
          hasToken(written.headers.get("cache-control"), "no-store"),
          "a response with a cookie may be stored",
        );
        const read = await client.get("/header/Vary/Accept/header/Cache-Control/private/get/a");
        must(hasToken(read.headers.get("vary"), "accept"), "the application's own Vary is gone");
        mustEqual(
          read.headers.get("cache-control"),
          "private",
          "the application's own Cache-Control",
        );
        const both = await client.get(
          "/header/Cache-Control/public, max-age=60/set/a/2/regenerate",
        );
        must(
          !hasToken(both.headers.get("cache-control"), "public"),
          "a response with a cookie says that it is public",
        );
      },
    ),
    define(
      "L9 status: a store that is down is a 503 of the host's own",
      async (client, _state, spy) => {
        await client.get("/set/a/1");
        spy.fault = "both";
        mustEqual((await client.get("/get/a")).status, 503, "the status while the store is down");
        spy.fault = undefined;
        spy.saveGate = undefined;
        spy.fault = "save";
        mustEqual((await client.get("/set/b/1")).status, 503, "the status while it can't save");
      },
    ),
    define(
      "L7 aborted: what a handler does after its client has gone is saved whole",
      async (client, state) => {
        await client.get("/set/a/1");
        const cookie = await client.cookieHeader();
        const gate = new Gate();
        state.gates.set("slow", gate);
        const abort = new AbortController();
        const gone = client.raw("/set/b/2/gate/slow/set/c/3", cookie, { signal: abort.signal });
        await gate.arrived;
        abort.abort();
        await gone.catch(() => undefined);
        gate.open();
        // The handler continues without its client; it is done when its write is there.
        for (let tries = 0; tries < 2000; tries++) {
          const { body } = await client.raw("/dump", cookie);
          if (body === '[["a","1"],["b","2"],["c","3"]]') return;
          mustEqual(body, '[["a","1"]]', "what is read until it is all there");
        }
        throw new Error("what the handler wrote was never saved");
      },
    ),
    define("L4 apart: clients on one connection never share a session", async (client) => {
      const one = await client.get("/set/who/one");
      const other = new Client(client.base);
      mustEqual((await other.get("/dump")).body, "[]", "what another client sees");
      await other.get("/set/who/other");
      mustEqual((await client.get("/get/who")).body, "one", "what the first one sees");
      mustEqual(one.setCookie.length, 1, "how many cookies it got");
    }),
    define("L8 forms: statuses, redirects and empty bodies carry the cookie", async (client) => {
      for (const [status, path] of [
        [204, "/set/a/1/status/204"],
        [404, "/set/a/2/status/404"],
        [303, "/set/a/3/redirect"],
      ] as const) {
        const fresh = new Client(client.base);
        const reply = await fresh.get(path);
        mustEqual(
          [reply.status, reply.setCookie.length],
          [status, 1],
          `status and cookies of ${path}`,
        );
      }
      const head = await client.get("/set/a/4", { method: "HEAD" });
      mustEqual(head.setCookie.length, 1, "the cookies of a HEAD");
    }),
    define("L8 flash: a message is read once", async (client) => {
      await client.get("/flash/saved/redirect");
      mustEqual((await client.get("/size")).body, "0", "the size, which leaves messages out");
      mustEqual((await client.get("/unflash")).body, "saved", "the message");
      mustEqual((await client.get("/unflash")).body, "", "the message, once more");
    }),
  ];
}

function hasToken(header: string | null, token: string): boolean {
  return (header ?? "").split(",").some((one) => one.trim().toLowerCase() === token);
}
