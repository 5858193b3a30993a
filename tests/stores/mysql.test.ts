// The MySQL store by mysql2 on MariaDB: the laws on a clock of the server that the tests turn, and a
// session's life however a connection is set up.
import type { MysqlConnection } from "kocha-session/mysql";
import { fakeClock } from "kocha-session/testing";
import callbacks from "mysql2";
import mysql from "mysql2/promise";
import { afterAll, describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { startBench } from "./mysql-server.ts";
import {
  change,
  creation,
  describeLaws,
  describeRows,
  HOUR,
  idsOf,
  type SqlSubject,
} from "./sql.ts";

const { server, admin, execute, freshStore, close } = await startBench();
afterAll(close);

describe("on the laws' own clock", async () => {
  const clock = fakeClock();
  /** MariaDB's now is the connection's `timestamp`, where that is set. */
  const turned = {
    execute: async (query: mysql.QueryOptions, values?: never[]) => {
      const connection = await admin.getConnection();
      try {
        await connection.query(`SET timestamp = ${clock.now() / 1000}`);
        return await connection.execute(query, values);
      } finally {
        await connection.query("SET timestamp = DEFAULT");
        connection.release();
      }
    },
  };
  const subject: SqlSubject = {
    name: "mysql2",
    clock,
    makeStore: (table) => freshStore(turned, table),
    execute,
    quote: (table) => `\`${table}\``,
    foreign: [
      "data = '[]'",
      "data = '\"a\"'",
      "data = 'null'",
      `data = '{"a":1}'`,
      `data = '{"a":{"b":"c"}}'`,
      `data = '{"a":"~"}'`,
      "rev = 0",
      "generation = 0",
      "expires = -1",
      "meta = '~!'",
    ],
    fill: (table, bound, count, expires) => `
      INSERT INTO \`${table}\` (id, data, rev, generation, expires, meta, subject)
      SELECT LPAD(seq, 22, '0'), '{}', 1, 1, ${expires}, '', '${bound}'
      FROM seq_1_to_${count}`,
  };
  await describeLaws(subject);
  describeRows(subject);
});

/** Connections of all kinds, by what is unusual about them. */
const connections: readonly (readonly [string, () => Promise<Opened>])[] = [
  ["a Connection", async () => ending(await mysql.createConnection(server.url))],
  ["a Pool with callbacks", async () => endingCallbacks(callbacks.createPool(server.url))],
  [
    "a Connection with callbacks",
    async () => endingCallbacks(callbacks.createConnection(server.url)),
  ],
  [
    "affected rows that are changed rows",
    async () => ending(mysql.createPool({ uri: server.url, flags: ["-FOUND_ROWS"] })),
  ],
  [
    "affected rows that are found rows",
    async () => ending(mysql.createPool({ uri: server.url, flags: ["FOUND_ROWS"] })),
  ],
  ["latin1", async () => ending(mysql.createPool({ uri: server.url, charset: "latin1" }))],
  [
    "results of its own kinds",
    async () =>
      ending(
        mysql.createPool({
          uri: server.url,
          rowsAsArray: true,
          nestTables: true,
          dateStrings: true,
          decimalNumbers: true,
          jsonStrings: true,
          namedPlaceholders: true,
          supportBigNumbers: true,
          bigNumberStrings: true,
          typeCast: () => "something else",
        }),
      ),
  ],
  [
    "columns under their table's name",
    async () => ending(mysql.createPool({ uri: server.url, nestTables: "_" })),
  ],
  [
    "a server mode of its own",
    async () => {
      const connection = await mysql.createConnection(server.url);
      const modes = "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,SIMULTANEOUS_ASSIGNMENT";
      await connection.query(`SET sql_mode = '${modes}', time_zone = '-05:30'`);
      return ending(connection);
    },
  ],
];

interface Opened {
  readonly client: MysqlConnection;
  readonly end: () => Promise<void>;
}

function ending(client: mysql.Pool | mysql.Connection): Opened {
  return { client, end: () => client.end() };
}

function endingCallbacks(client: callbacks.Pool | callbacks.Connection): Opened {
  const end = () => new Promise<void>((resolve) => client.end(() => resolve()));
  return { client, end };
}

describe.each(connections)("by %s", (_, open) => {
  test("a session's life is the same", async () => {
    const { client, end } = await open();
    const store = await freshStore(client);
    const selector = newSelector();
    const hostile = "é\0\"\\'~\u{1F36A}\u{10FFFF}";
    const entries = { [hostile]: hostile, a: "1" };
    const ttl = HOUR;
    const before = Date.now() - 1000;
    const created = await store.save(
      selector,
      creation(entries, { meta: hostile, subject: hostile }),
    );
    expect(created).toMatchObject({ rev: 1, generation: 1 });
    expect(created?.expires).toBeGreaterThan(before + ttl - 1000);
    expect(created?.expires).toBeLessThan(Date.now() + ttl + 1000);
    expect(await store.save(selector, creation({ stolen: "1" }))).toBeUndefined();
    // Nothing changes in the row, and it is applied all the same.
    for (const more of [
      { ttl: 0 },
      { set: new Map([["a", "1"]]), ttl: 0 },
      { del: ["no"], ttl: 0 },
    ]) {
      expect(await store.save(selector, change(more))).toMatchObject({ rev: 1, generation: 1 });
    }
    expect(await store.save(selector, change({ rev: 2 }))).toBeUndefined();
    const bumped = await store.save(selector, change({ bump: true, del: ["a"], ttl: Infinity }));
    expect(bumped).toMatchObject({ rev: 2, generation: 2, expires: Infinity });
    const stored = await store.load(selector);
    expect(stored).toEqual({
      data: new Map([[hostile, hostile]]),
      rev: 2,
      generation: 2,
      expires: Infinity,
      meta: hostile,
    });
    expect(await idsOf(store, hostile)).toEqual([selector]);
    expect(await store.save(selector, change({ op: "destroy" }))).toMatchObject({ rev: 0 });
    expect(await store.save(selector, change({ rev: 2 }))).toBeUndefined();
    await store.save(selector, creation({}, { ttl: -1 }));
    expect(await store.save(selector, creation({ again: "1" }))).toMatchObject({ rev: 1 });
    expect((await store.load(selector))?.data).toEqual(new Map([["again", "1"]]));
    await end();
  });
});

test("ends past the year 2106 are answered as they are", async () => {
  const store = await freshStore();
  const selector = newSelector();
  const deadline = Date.UTC(2140, 0, 1);
  const created = await store.save(selector, creation({}, { ttl: Infinity, deadline }));
  expect(created?.expires).toBe(deadline);
  expect((await store.load(selector))?.expires).toBe(deadline);
});

test("a thousand keys come and go in one change each", async () => {
  const store = await freshStore();
  const selector = newSelector();
  const names = Array.from({ length: 1000 }, (_, index) => `key ${index}`);
  await store.save(
    selector,
    creation(Object.fromEntries(names.map((name) => [name, "x".repeat(50)]))),
  );
  await store.save(selector, change({ del: names.slice(1) }));
  expect([...((await store.load(selector))?.data.keys() ?? [])]).toEqual([names[0]]);
});
