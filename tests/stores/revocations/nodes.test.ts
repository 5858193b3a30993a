// Two processes that follow one log, on each engine with a server or a file of its own: what one of
// them ends is ended in the other, whatever their clocks say and however they are stopped.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresRevocations } from "kocha-session/postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../../../src/testing/client.ts";
import { freshKeys } from "../../support/keys.ts";
import { startProxy } from "../../support/proxy.ts";
import { startPostgres } from "../../support/servers/postgres.ts";
import { startRedis } from "../../support/servers/redis.ts";
import { until } from "../../support/until.ts";
import { type AppNode, startNodes } from "./nodes.ts";

const redis = await startRedis();
const postgres = await startPostgres();
const [toRedis, toPostgres] = await Promise.all([
  startProxy(redis.port),
  startProxy(postgres.port),
]);
const folder = mkdtempSync(join(tmpdir(), "kocha-session-nodes-"));
const pool = new pg.Pool({ connectionString: postgres.url });
await postgresRevocations({ client: pool }).createTable();
await pool.end();

/** Longer than the nodes' maxStaleness, in milliseconds. */
const PAUSE = 1500;
/** Less than the 5 minutes that the cookie store bears. */
const WRONG = 240_000;
const servers = {
  redis: { server: redis.server, proxy: toRedis },
  postgres: { server: postgres.server, proxy: toPostgres },
};
/** Where the log is, and how wrong the clocks of the two nodes are. */
const engines = [
  { engine: "redis", at: String(toRedis.port), skews: [0, WRONG] },
  {
    engine: "postgres",
    at: postgres.url.replace(String(postgres.port), String(toPostgres.port)),
    skews: [0, -WRONG],
  },
  // One machine, one clock.
  { engine: "sqlite", at: join(folder, "revoked.db"), skews: [0, 0] },
] as const;

let here: AppNode;
let there: AppNode;
let nodes: AppNode[] = [];
let logins = 0;

afterAll(async () => {
  await Promise.all([toRedis.close(), toPostgres.close()]);
  await Promise.all([redis.close(), postgres.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** A user that no other test has, logged in at a node, with the cookie that a thief may have. */
async function logIn(node: AppNode, name = `user-${++logins}`) {
  const client = node.newClient();
  await until("the login", async () => (await client.get(`/login/${name}`)).status === 200);
  return { name, client, cookie: await client.cookieHeader() };
}

/** The first thing that a node says of a session, once it can say anything. */
async function told(node: AppNode, cookie: string): Promise<unknown> {
  let found: unknown;
  await until("an answer", async () => {
    found = await node.read(cookie);
    return found !== undefined;
  });
  return found;
}

/** Asks until a node knows that it is dead; what it says before is that it lives, or nothing. */
async function untilDead(node: AppNode, cookie: string): Promise<void> {
  await until("the end of the session", async () => {
    const found = await node.read(cookie);
    return found !== undefined && Object.keys(found as object).length === 0;
  });
}

async function isAlive(node: AppNode, cookie: string): Promise<boolean> {
  const found = await node.read(cookie);
  return found !== undefined && "name" in (found as object);
}

async function untilAlive(node: AppNode, cookie: string): Promise<void> {
  await until("the session", () => isAlive(node, cookie));
}

async function mustWork(client: Client, path: string): Promise<void> {
  await until(path, async () => (await client.get(path)).status === 200);
}

describe.each(engines)("on $engine", ({ engine, at, skews }) => {
  const where = { engine, at, keys: freshKeys() };

  beforeAll(async () => {
    nodes = await startNodes(where, skews);
    [here, there] = nodes as [AppNode, AppNode];
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });

  test("a logout ends every copy at every node, also at one that starts later", async () => {
    const { client, cookie } = await logIn(here);
    await untilAlive(there, cookie);
    await mustWork(client, "/destroy");
    expect(await told(here, cookie)).toEqual({});
    await untilDead(there, cookie);
    const [late] = await startNodes(where, [0]);
    try {
      expect(late && (await told(late, cookie))).toEqual({});
    } finally {
      await late?.close();
    }
  });

  test("log out everywhere ends the sessions of all nodes, and who logs in again stays", async () => {
    const one = await logIn(here);
    const other = await logIn(there, one.name);
    const stranger = await logIn(there);
    await untilAlive(here, other.cookie);
    await mustWork(here.newClient(), `/everywhere/${one.name}`);
    for (const { cookie } of [one, other]) {
      expect(await told(here, cookie)).toEqual({});
      await untilDead(there, cookie);
    }
    for (const again of [await logIn(here, one.name), await logIn(there, one.name), stranger]) {
      for (const node of nodes) await untilAlive(node, again.cookie);
    }
  });

  test("a login leaves nothing to the credential of before it", async () => {
    const client = here.newClient();
    await mustWork(client, "/set/cart/1");
    const before = await client.cookieHeader();
    await until("the cart", async () => (await there.read(before)) !== undefined);
    await mustWork(client, "/login/alice");
    await untilDead(there, before);
    await untilAlive(there, await client.cookieHeader());
  });

  test("a regenerate at both nodes at once leaves one successor", async () => {
    const users = await Promise.all(Array.from({ length: 8 }, async () => logIn(here)));
    const cookies = users.map(({ cookie }) => cookie);
    for (const cookie of cookies) await untilAlive(there, cookie);
    const racing = await Promise.all(nodes.map((node) => node.slow(cookies, "rotate")));
    for (const race of racing) race.go();
    const replies = await Promise.all(racing.map((race) => race.replies));
    for (const [index, { name }] of users.entries()) {
      const names = replies.map((answers) => {
        const { status = 0, body = "" } = answers[index] ?? {};
        expect(status).toBe(200);
        return (JSON.parse(body) as { name?: string }).name;
      });
      expect(names.filter((one) => one === name)).toHaveLength(1);
      expect(names).toContain(undefined);
    }
    // And so it stays, at both nodes, when both know all that the log has.
    for (const cookie of cookies) for (const node of nodes) await untilDead(node, cookie);
    const successors = replies.flat().map(({ setCookie }) => setCookie[0]?.split(";", 1)[0] ?? "");
    for (const node of nodes) {
      const found = await Promise.all(successors.map(async (cookie) => isAlive(node, cookie)));
      expect(found.filter(Boolean)).toHaveLength(cookies.length);
    }
  });

  test("late writes at both nodes bring nothing back", async () => {
    const { client, cookie } = await logIn(here);
    await untilAlive(there, cookie);
    const racing = await Promise.all(
      nodes.map((node) => node.slow(Array.from({ length: 8 }, () => cookie))),
    );
    await mustWork(client, "/destroy");
    for (const race of racing) race.go();
    const [known, unknown] = await Promise.all(racing.map((race) => race.replies));
    // Here it was known at once, so nothing was written; there a cookie may have gone out.
    expect(known?.flatMap(({ setCookie }) => setCookie)).toEqual([]);
    await untilDead(there, cookie);
    for (const header of unknown?.flatMap(({ setCookie }) => setCookie) ?? []) {
      const [pair = ""] = header.split(";", 1);
      for (const node of nodes) expect(await told(node, pair)).toEqual({});
    }
  });

  test("a node that was paused for longer than maxStaleness asks before it answers", async () => {
    const { client, cookie } = await logIn(here);
    await untilAlive(there, cookie);
    there.pause();
    try {
      await mustWork(client, "/destroy");
      const since = Date.now();
      // The very first thing that it will see.
      const first = there.read(cookie);
      await until("the pause", () => Date.now() - since > PAUSE);
      there.resume();
      expect((await first) ?? {}).toEqual({});
    } finally {
      there.resume();
    }
    await untilDead(there, cookie);
  });
});

describe.each(["redis", "postgres"] as const)("without the log, on %s", (engine) => {
  const { server, proxy } = servers[engine];

  beforeAll(async () => {
    const { at } = engines.find((one) => one.engine === engine) ?? { at: "" };
    nodes = await startNodes({ engine, at, keys: freshKeys() }, [0, 0]);
    [here, there] = nodes as [AppNode, AppNode];
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });

  async function untilOutage(cookie: string): Promise<void> {
    for (const node of nodes) {
      await until("the outage", async () => (await node.read(cookie)) === undefined);
    }
  }

  test("a server that is gone is an error and no logout, and what was dead stays dead", async () => {
    const [live, dead] = [await logIn(here), await logIn(here)];
    await mustWork(dead.client, "/destroy");
    await untilDead(there, dead.cookie);
    await untilAlive(there, live.cookie);
    await server.kill();
    try {
      await untilOutage(live.cookie);
      const logout = await live.client.get("/destroy");
      expect([logout.status, logout.setCookie]).toEqual([503, []]);
      // Who has no session notices nothing.
      expect((await there.newClient().get("/set/a/1")).status).toBe(200);
    } finally {
      await server.start();
    }
    for (const node of nodes) {
      await untilAlive(node, live.cookie);
      await untilDead(node, dead.cookie);
    }
  });

  test("and so is one that never answers", async () => {
    const { cookie } = await logIn(here);
    await untilAlive(there, cookie);
    proxy.turn({ kind: "silent" });
    try {
      await untilOutage(cookie);
    } finally {
      // What was said meanwhile never arrives; the drivers begin anew.
      proxy.turn({ kind: "cut" });
      proxy.turn({ kind: "open" });
    }
    for (const node of nodes) await untilAlive(node, cookie);
  });
});
