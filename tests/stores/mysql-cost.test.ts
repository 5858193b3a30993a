// What a session costs on MariaDB, measured at a proxy and at the server: round trips, bytes,
// statements and indexes; and the SQL that ships.
import type { SessionChange } from "kocha-session";
import { SessionMysqlStore, mysqlSessionsSql } from "kocha-session/mysql";
import mysql from "mysql2/promise";
import { afterAll, describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { startProxy } from "../support/proxy.ts";
import { Visitor } from "../support/visitor.ts";
import { startBench } from "./mysql-server.ts";
import { change, creation, newTable } from "./sql.ts";

const { server, admin, execute, freshStore, close } = await startBench();
afterAll(close);

describe("at the server", () => {
  test("one round trip to load, one to commit, none for an anonymous visit", async () => {
    const proxy = await startProxy(server.port);
    const url = server.url.replace(`${server.port}`, `${proxy.port}`);
    const client = mysql.createPool({ uri: url, connectionLimit: 1 });
    const visitor = new Visitor(await freshStore(client));
    // The driver prepares each statement once a connection.
    for (const value of ["1", "2"]) await visitor.visit((session) => session.set("a", value));
    const other = new Visitor(await freshStore(client));
    proxy.take();
    await other.visit((session) => session.get("a"));
    expect(proxy.take()).toEqual({ sent: 0, received: 0, trips: 0 });
    await visitor.visit((session) => session.get("a"));
    expect(proxy.take().trips).toBe(1);
    await visitor.visit((session) => session.set("a", "3"));
    expect(proxy.take().trips).toBe(2);
    await client.end();
    await proxy.close();
  });

  test("what an update expects travels with it, in the same round trip", async () => {
    const proxy = await startProxy(server.port);
    const url = server.url.replace(`${server.port}`, `${proxy.port}`);
    const client = mysql.createPool({ uri: url, connectionLimit: 1 });
    const store = await freshStore(client);
    const key = newSelector();
    await store.save(key, creation({ n: "0" }));
    const raise = (n: number): SessionChange => {
      const expected = new Map([["n", String(n)]]);
      return change({ expect: expected, set: new Map([["n", String(n + 1)]]), ttl: 0 });
    };
    // The driver prepares each statement once a connection.
    await store.save(key, raise(0));
    proxy.take();
    expect(await store.save(key, raise(1))).toBeDefined();
    expect(proxy.take().trips).toBe(1);
    expect(await store.save(key, raise(1))).toBeUndefined();
    expect(proxy.take().trips).toBe(1);
    await client.end();
    await proxy.close();
  });

  test("statements are counted where they are run: one a load, one a commit", async () => {
    const visitor = new Visitor(await freshStore());
    const executed = async (): Promise<number> => {
      const [row] = await execute("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'");
      return Number(row?.["Value"]);
    };
    const counts: number[] = [];
    let last = await executed();
    const count = async (): Promise<void> => {
      const now = await executed();
      counts.push(now - last);
      last = now;
    };
    await visitor.visit((session) => session.get("a"));
    await count();
    await visitor.visit((session) => session.set("a", "1"));
    await count();
    await visitor.visit((session) => session.get("a"));
    await count();
    await visitor.visit((session) => session.set("a", "2"));
    await count();
    await visitor.visit((session) => session.destroy());
    await count();
    expect(counts).toEqual([0, 1, 1, 2, 2]);
  });

  test("what travels for one changed key doesn't grow with the session", async () => {
    const proxy = await startProxy(server.port);
    const url = server.url.replace(`${server.port}`, `${proxy.port}`);
    const client = mysql.createPool({ uri: url, connectionLimit: 1 });
    const store = await freshStore(client);
    const traffic: number[] = [];
    for (const size of [0, 1024, 102_400, 1_048_576]) {
      const visitor = new Visitor(store, { maxSessionBytes: 2 ** 22 });
      await visitor.visit((session) => {
        for (let index = 0; index < 16; index++) session.set(`k${index}`, "x".repeat(size / 16));
      });
      await visitor.visit(async (session) => {
        session.get("k0");
        proxy.take();
        session.set("k0", "changed");
        await session.commit();
        const { sent, received } = proxy.take();
        traffic.push(sent + received);
      });
    }
    // The first one prepares the statement.
    const [, ...rest] = traffic;
    expect(new Set(rest).size).toBe(1);
    expect(rest[0]).toBeLessThan(500);
    await client.end();
    await proxy.close();
  });

  test("its SQL makes the table that the store uses", async () => {
    for (const statement of mysqlSessionsSql()) await execute(statement);
    const store = new SessionMysqlStore({ client: admin });
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    await store.createTable();
    expect((await store.load(selector))?.data.get("a")).toBe("1");
  });

  test("many processes may make the table at once, in a database of its own too", async () => {
    await execute("CREATE DATABASE tenant");
    const table = `tenant.${newTable()}`;
    const stores = Array.from({ length: 8 }, () => new SessionMysqlStore({ client: admin, table }));
    await Promise.all(stores.map((store) => store.createTable()));
    const selector = newSelector();
    await stores[0]?.save(selector, creation({ a: "1" }));
    expect((await stores[7]?.load(selector))?.data.get("a")).toBe("1");
  });

  test("loads and sweeps go by their indexes", async () => {
    const table = newTable();
    await freshStore(admin, table);
    await execute(
      `INSERT INTO \`${table}\` SELECT LPAD(seq, 22, '0'), '{}', 1, 1, seq * 1000, '', seq FROM seq_1_to_5000`,
    );
    const plans = async (text: string): Promise<unknown> => (await execute(`EXPLAIN ${text}`))[0];
    const from = `FROM \`${table}\` WHERE`;
    expect(
      await plans(`SELECT data ${from} id = '${"0".repeat(21)}1' AND expires > 0`),
    ).toMatchObject({
      key: "PRIMARY",
      rows: "1",
    });
    expect(await plans(`SELECT data ${from} subject = 'nobody'`)).toMatchObject({ key: "subject" });
    expect(await plans(`DELETE ${from} expires <= 5000 ORDER BY expires LIMIT 10`)).toMatchObject({
      key: "expires",
    });
  });
});
