// Device-bound sessions on several processes: each request of a browser goes to another one, and what a
// process keeps is gone with it. Only Redis and the ring of secrets are shared.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltPackage } from "../support/built-package.ts";
import {
  challengeIn,
  type CookieBrowser,
  DeviceBrowser,
  DeviceKeyPair,
  type Reply,
} from "../support/device-browser.ts";
import { freshKeys } from "../support/keys.ts";
import { type RedisServer, startRedis } from "../support/servers/redis.ts";
import { until } from "../support/until.ts";
import { isFresh, isEnd } from "./site.ts";
import type { ProcessOrders, SiteOrders } from "./site-process.ts";

const SECOND = 1000;
const [old, next] = [freshKeys(), freshKeys()];

/** The sites, with their rings on the processes A, B and C. */
const sites: Readonly<Record<string, readonly SiteOrders[]>> = {
  rows: [[old], [old], [old]].map((keys) => ({ kind: "rows", keys })),
  cookies: [[old], [old], [old]].map((keys) => ({ kind: "cookies", keys })),
  "rotating rows": [[old, next], [next, old], [next]].map((keys) => ({ kind: "rows", keys })),
  "rotating cookies": [[old, next], [next, old], [next]].map((keys) => ({ kind: "cookies", keys })),
};
const built = BuiltPackage.forTests();
let redis: RedisServer;
/** How far all clocks are turned on, in milliseconds. */
let turned = 0;
const now = (): number => Date.now() + turned;

/** A process that serves all sites. */
class SiteProcess {
  readonly origins: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, origins: Readonly<Record<string, string>>) {
    this.#child = child;
    this.origins = origins;
  }

  static async start(number: number): Promise<SiteProcess> {
    const own = Object.entries(sites).map(([name, orders]) => [name, orders[number]]);
    const orders: ProcessOrders = {
      redis: redis.url,
      turned,
      sites: Object.fromEntries(own) as Record<string, SiteOrders>,
    };
    const child = fork(join(built.path, "site-process.mjs"), {
      execArgv: [],
      env: { ...process.env, SITE_ORDERS: JSON.stringify(orders) },
    });
    const ended = once(child, "exit").then(() => {
      throw new Error("a process ended before it listened");
    });
    const [message] = (await Promise.race([once(child, "message"), ended])) as [
      { readonly origins: Readonly<Record<string, string>> },
    ];
    ended.catch(() => undefined);
    return new SiteProcess(child, message.origins);
  }

  async turn(): Promise<void> {
    const answer = once(this.#child, "message");
    this.#child.send({ turned });
    await answer;
  }

  /** Ends it at once, with all that it has in memory. */
  async kill(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}

/** A, B and C. */
const processes: SiteProcess[] = [];

beforeAll(async () => {
  redis = await startRedis();
  const source = await readFile(join(import.meta.dirname, "site-process.ts"), "utf8");
  const { code } = await transform(source, { loader: "ts", format: "esm" });
  await writeFile(join(built.path, "site-process.mjs"), code);
  processes.push(...(await Promise.all([0, 1, 2].map((number) => SiteProcess.start(number)))));
});

afterAll(async () => {
  await Promise.all(processes.map((one) => one.kill()));
  await redis.close();
});

async function wait(seconds: number): Promise<void> {
  turned += seconds * SECOND;
  await Promise.all(processes.map((one) => one.turn()));
}

/** Ends a process, and starts it anew. */
async function restart(number: number): Promise<void> {
  await processes[number]?.kill();
  processes[number] = await SiteProcess.start(number);
}

const [A, B, C] = [0, 1, 2] as const;

/** A browser of a site; each request says which process answers it. */
class Visit {
  readonly site: string;
  readonly browser: DeviceBrowser;

  private constructor(site: string, browser: DeviceBrowser) {
    this.site = site;
    this.browser = browser;
  }

  static async of(site: string): Promise<Visit> {
    return new Visit(site, new DeviceBrowser("", now, await DeviceKeyPair.make()));
  }

  /** The browser, whose next request goes to this process. */
  on(number: number): DeviceBrowser {
    return this.lead(this.browser, number);
  }

  lead<T extends CookieBrowser>(browser: T, number: number): T {
    browser.base = processes[number]?.origins[this.site] ?? "";
    return browser;
  }

  /** What each process shows these cookies. */
  async seenBy(browser: CookieBrowser, numbers: readonly number[] = [A, B, C]): Promise<string[]> {
    const seen: string[] = [];
    for (const number of numbers) {
      const { user, device } = await this.lead(browser, number).read();
      seen.push(`${user || "nobody"} ${device}`);
    }
    return seen;
  }
}

const everywhere = (text: string, count = 3): string[] => Array.from({ length: count }, () => text);
const longCookie = (name: string): boolean => name === "session";

describe.each(["rows", "cookies"])("on three processes, with %s", (site) => {
  test("any of them logs in, offers, registers, binds, refreshes and logs out", async () => {
    const visit = await Visit.of(site);
    const { browser } = visit;
    const login = await visit.on(A).visit("/login");
    expect((await visit.on(B).register(login)).status).toBe(200);
    expect(await visit.on(A).read()).toMatchObject({ user: "ann", device: "none" });
    expect(isFresh(await visit.on(C).refresh())).toBe(true);
    await wait(61);
    expect(await visit.seenBy(browser)).toEqual(everywhere("ann bound"));
    const thief = browser.copy(undefined, longCookie);
    expect(await visit.seenBy(thief)).toEqual(everywhere("nobody stale"));
    expect(visit.lead(thief, B).names).toEqual(["session"]);
    // A challenge of A, proven at B; and without any cookie.
    const challenged = await visit.on(A).ask(undefined);
    expect(challenged.status).toBe(403);
    const proof = await browser.device.proof(challengeIn(challenged));
    expect(isFresh(await visit.on(B).ask(proof))).toBe(true);
    expect(isFresh(await visit.on(C).ask(proof, true))).toBe(true);
    // The first key has won everywhere.
    const other = await Visit.of(site);
    other.browser.put("session", browser.cookie("session") ?? "");
    expect((await other.on(A).register(login)).status).toBe(409);
    const both = browser.copy();
    await wait(700);
    expect(await visit.seenBy(both)).toEqual(everywhere("nobody stale"));
    expect(isFresh(await visit.on(A).refresh(true))).toBe(true);
    await wait(700);
    expect(isFresh(await visit.on(B).refresh())).toBe(true);
    await visit.on(C).visit("/set/note");
    await visit.on(A).visit("/regenerate");
    await wait(61);
    expect(await visit.seenBy(browser)).toEqual(everywhere("ann bound"));
    expect((await visit.on(C).read()).keys).toEqual(["note", "user"]);
    const last = browser.copy();
    await visit.on(B).visit("/logout");
    for (const number of [A, B, C]) {
      expect(isEnd(await visit.on(number).refresh())).toBe(true);
      // Without any cookie, only a row tells.
      expect(isEnd(await visit.on(number).refresh(true))).toBe(site === "rows");
    }
    await until("every process knows of the logout", async () =>
      (await visit.seenBy(last)).every((seen) => seen === "nobody none"),
    );
  });
});

test("a process that is killed and started again goes on where it was", async () => {
  const visits = await Promise.all(["rows", "cookies"].map((site) => Visit.of(site)));
  const each = <T>(step: (visit: Visit) => Promise<T>): Promise<T[]> =>
    Promise.all(visits.map((visit) => step(visit)));
  const logins = await each((visit) => visit.on(A).visit("/login"));
  await restart(A);
  for (const [index, visit] of visits.entries()) {
    expect((await visit.on(A).register(logins[index] as Reply)).status).toBe(200);
    expect(isFresh(await visit.on(B).refresh())).toBe(true);
  }
  const proofs = await each(async (visit) => {
    const challenged = await visit.on(B).ask(undefined);
    return visit.browser.device.proof(challengeIn(challenged));
  });
  await wait(61);
  await restart(B);
  for (const [index, visit] of visits.entries()) {
    const { browser } = visit;
    const thief = browser.copy(undefined, longCookie);
    expect(isFresh(await visit.on(B).ask(proofs[index]))).toBe(true);
    expect(await visit.seenBy(browser)).toEqual(everywhere("ann bound"));
    expect(await visit.seenBy(thief)).toEqual(everywhere("nobody stale"));
    await visit.on(A).visit("/logout");
    expect(isEnd(await visit.on(B).refresh())).toBe(true);
  }
});

test("of two keys that bind one row on two processes at once, one wins", async () => {
  const [one, two] = [await Visit.of("rows"), await Visit.of("rows")];
  const login = await one.on(A).visit("/login");
  two.browser.put("session", one.browser.cookie("session") ?? "");
  await one.on(B).register(login);
  await two.on(C).register(login);
  await Promise.all([one.on(A).refresh(), two.on(B).refresh()]);
  const ended = [isEnd(await one.on(C).refresh()), isEnd(await two.on(C).refresh())];
  expect(ended.filter(Boolean)).toHaveLength(1);
  await wait(61);
  const [winner, loser] = ended[0] === true ? [two, one] : [one, two];
  expect(await winner.seenBy(winner.browser)).toEqual(everywhere("ann bound"));
  expect(await loser.seenBy(loser.browser)).toEqual(everywhere("nobody stale"));
});

describe.each(["rotating rows", "rotating cookies"])("while secrets change, with %s", (site) => {
  test("processes with the rings old and new, and new and old, take what the other made", async () => {
    const visit = await Visit.of(site);
    const { browser } = visit;
    // A's secret is the old one, B's the new one.
    const login = await visit.on(A).visit("/login");
    expect((await visit.on(B).register(login)).status).toBe(200);
    expect(isFresh(await visit.on(A).refresh())).toBe(true);
    await wait(61);
    expect(await visit.seenBy(browser, [A, B])).toEqual(everywhere("ann bound", 2));
    const thief = browser.copy(undefined, longCookie);
    expect(await visit.seenBy(thief, [A, B])).toEqual(everywhere("nobody stale", 2));
    const challenged = await visit.on(B).ask(undefined);
    const proof = await browser.device.proof(challengeIn(challenged));
    expect(isFresh(await visit.on(A).ask(proof))).toBe(true);
    expect(isFresh(await visit.on(B).ask(proof, true))).toBe(true);
    // What B made last outlives the old secret: its ticket, its device cookie, the identifier.
    await visit.on(B).visit("/regenerate");
    expect(isFresh(await visit.on(B).refresh())).toBe(true);
    await wait(61);
    expect(await visit.seenBy(browser)).toEqual(everywhere("ann bound"));
    expect(isFresh(await visit.on(C).refresh())).toBe(true);
    // A registration that A answered ends with the old secret.
    const other = await Visit.of(site);
    await other.on(A).register(await other.on(A).visit("/login"));
    expect(isFresh(await other.on(B).refresh())).toBe(true);
    expect(isEnd(await other.on(C).refresh())).toBe(true);
  });
});
