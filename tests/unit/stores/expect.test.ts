// What `expect` adds to a store's statements, and where it adds nothing: without it each is, byte for
// byte, what it was before stores knew of it. And the stores that don't say that they keep S9.
import {
  type SessionChange,
  SessionCookieStore,
  type SessionStore,
  type StoredSession,
} from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { SessionMysqlStore } from "kocha-session/mysql";
import { SessionPostgresStore } from "kocha-session/postgres";
import { SessionSqliteStore } from "kocha-session/sqlite";
import { describe, expect, test } from "vitest";
import { WholeValueStore } from "../../../src/store/whole-value-store.ts";
import { encodeCommit } from "../../../src/stores/redis/row.ts";
import { newSelector } from "../../../src/testing/history.ts";
import { freshKeys } from "../../support/keys.ts";

const id = "A".repeat(22);
const setting: SessionChange = {
  op: "update",
  rev: 3,
  set: new Map([["a", "1"]]),
  del: [],
  ttl: 0,
  deadline: Infinity,
};
const expecting: SessionChange = {
  ...setting,
  expect: new Map([
    ["a", "it's~\0"],
    ["b", undefined],
    ['c"', undefined],
  ]),
};

interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a store that asks `makeStore`'s client sends for a change. */
async function sentBy(
  makeStore: (note: (sent: Sent) => void) => SessionStore,
  change: SessionChange,
): Promise<Sent> {
  const sent: Sent[] = [];
  await makeStore((one) => sent.push(one)).save(id, change);
  const [last = { text: "", values: [] }] = sent.slice(-1);
  return last;
}

const postgres = (note: (sent: Sent) => void): SessionStore => {
  const query = async (text: string, values: readonly unknown[]) => {
    note({ text, values });
    return { rows: [] };
  };
  return new SessionPostgresStore({ client: { query } as never });
};

const mysql = (note: (sent: Sent) => void): SessionStore => {
  const execute = async ({ sql: text }: { sql: string }, values: readonly unknown[]) => {
    const plain = values.map((value) => (Buffer.isBuffer(value) ? value.toString() : value));
    note({ text, values: plain });
    return [{ affectedRows: 0, insertId: 0 }];
  };
  return new SessionMysqlStore({ client: { execute } as never });
};

const sqlite = (note: (sent: Sent) => void): SessionStore => {
  const prepare = (text: string) => {
    const all = (...values: readonly unknown[]): unknown[] => {
      note({ text, values });
      return text.startsWith("PRAGMA") ? [{ journal_mode: "wal", timeout: 1, file: "" }] : [];
    };
    return { all, get: (...values: readonly unknown[]) => all(...values)[0], run: all };
  };
  const client = { prepare, exec: () => undefined };
  return new SessionSqliteStore({ client: client as never, now: () => 7 });
};

describe("a statement without `expect` is what it was", () => {
  test("PostgreSQL", async () => {
    expect(await sentBy(postgres, setting)).toEqual({
      text: `UPDATE "kocha_sessions" SET data = data || $1::text::jsonb WHERE id = $2 AND rev = $3 AND expires > floor(extract(epoch FROM now()) * 1000)::bigint AND jsonb_typeof(data) = 'object' RETURNING rev, generation, expires`,
      values: ['{"a":"1"}', id, 3],
    });
  });

  test("MySQL", async () => {
    const { text, values } = await sentBy(mysql, setting);
    expect(text.slice(text.indexOf(" data = "))).toBe(
      " data = JSON_MERGE_PATCH(data, CONVERT(? USING utf8mb4)) WHERE id = ? AND rev = CAST(? AS SIGNED) AND expires > (TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000) AND CASE WHEN JSON_VALID(data) THEN JSON_TYPE(data) = 'OBJECT' ELSE 0 END",
    );
    expect(values).toEqual(['{"a":"1"}', id, 3]);
  });

  test("SQLite", async () => {
    expect(await sentBy(sqlite, setting)).toEqual({
      text: `UPDATE "kocha_sessions" SET data = json_patch(data, ?) WHERE id = ? AND rev = ? AND expires > ? AND CASE WHEN json_valid(data) THEN json_type(data) = 'object' ELSE 0 END RETURNING rev, generation, expires`,
      values: ['{"a":"1"}', id, 3, 7],
    });
  });

  test("Redis", () => {
    const extras = { nonce: "-", binding: undefined, writes: false };
    expect(encodeCommit(setting, extras)).toEqual(["u 3 0 inf - - 0", ":a", "1"]);
  });

  test.each([
    ["PostgreSQL", postgres],
    ["MySQL", mysql],
    ["SQLite", sqlite],
  ] as const)("nor does one that expects nothing differ: %s", async (_, makeStore) => {
    const nothing = { ...setting, expect: new Map() };
    expect(await sentBy(makeStore, nothing)).toEqual(await sentBy(makeStore, setting));
  });
});

describe("`expect` is part of the one statement", () => {
  test("PostgreSQL: what must be there is one value, each key that must not another", async () => {
    const { text, values } = await sentBy(postgres, expecting);
    expect(text).toContain(
      "AND CASE WHEN jsonb_typeof(data) = 'object' THEN data @> $4::text::jsonb AND data -> $5::text IS NULL AND data -> $6::text IS NULL END RETURNING",
    );
    expect(values.slice(3)).toEqual(['{"a":"it\'s~z~0"}', "b", "c~w"]);
  });

  test("MySQL: one value for what must be there, one for what must not", async () => {
    const { text, values } = await sentBy(mysql, expecting);
    expect(text).toMatch(
      / THEN JSON_CONTAINS\(data, CONVERT\(\? USING utf8mb4\)\) AND JSON_LENGTH\(JSON_MERGE_PATCH\(data, CONVERT\(\? USING utf8mb4\)\)\) = JSON_LENGTH\(data\) \+ 2 END$/,
    );
    expect(values.slice(-2)).toEqual(['{"a":"it\'s~z~0"}', '{"b":"","c~w":""}']);
  });

  test("SQLite: one value for what must be there, one for the keys that must not", async () => {
    const { text, values } = await sentBy(sqlite, expecting);
    expect(text.match(/NOT EXISTS \(SELECT 1 FROM json_each\(/g)).toHaveLength(2);
    expect(values.slice(-2)).toEqual(['{"a":"it\'s~z~0"}', '["b","c~w"]']);
  });

  test("Redis: a pair of arguments for each key", () => {
    const extras = { nonce: "once", binding: undefined, writes: true };
    expect(encodeCommit({ ...expecting, meta: "m" }, extras)).toEqual([
      "u 3 0 inf once -wme3 0",
      ":a",
      "=it's~\0",
      ":b",
      "-",
      ':c"',
      "-",
      "m",
      ":a",
      "1",
    ]);
  });
});

/** A store on whole values, whose reads and writes take a while. */
class Slow extends WholeValueStore {
  readonly #kept = new Map<string, StoredSession>();

  protected async read(key: string): Promise<StoredSession | undefined> {
    await Promise.resolve();
    return this.#kept.get(key);
  }

  protected async write(key: string, stored: StoredSession): Promise<void> {
    await Promise.resolve();
    this.#kept.set(key, stored);
  }

  protected async remove(key: string): Promise<void> {
    this.#kept.delete(key);
  }
}

describe("stores that don't say that they look at `expect`", () => {
  test("one on whole values does so among the requests of its process", async () => {
    const store = new Slow(Date.now);
    expect(store.capabilities).not.toHaveProperty("expects");
    const key = newSelector();
    const base = { del: [], ttl: 60_000, deadline: Infinity } as const;
    await store.save(key, { op: "create", set: new Map(), ...base });
    const attempts = ["x", "y", "z"].map((value) => {
      const set = new Map([["a", value]]);
      const more = { rev: 1, expect: new Map([["a", undefined]]), set };
      return store.save(key, { op: "update", ...base, ...more });
    });
    const saved = await Promise.all(attempts);
    expect(saved.filter((one) => one !== undefined)).toHaveLength(1);
  });

  test.each([
    ["plain", {}],
    ["merging", { merge: mergingCookies() }],
  ])("a cookie store, %s, looks at what the request brought", async (_, more) => {
    const store = new SessionCookieStore({ ...freshKeys(), ...more });
    expect(store.capabilities).not.toHaveProperty("expects");
    const context = { name: "session", now: Date.now() };
    const base = { del: [], ttl: 60_000, deadline: Infinity } as const;
    const create = { op: "create", set: new Map([["a", "1"]]), ...base } as const;
    const [cookie] = store.write(undefined, create, context)?.set ?? [];
    const found = store.open(cookie === undefined ? [] : [cookie], context);
    const attempt = (value: string | undefined): unknown =>
      store.write(
        found,
        {
          op: "update",
          rev: 1,
          ...base,
          set: new Map([["b", "2"]]),
          expect: new Map([["a", value]]),
        },
        context,
      );
    expect(attempt("1")).toBeDefined();
    expect(attempt("2")).toBeUndefined();
    expect(attempt(undefined)).toBeUndefined();
    // It is the same cookie for two requests at once: both are taken.
    expect(attempt("1")).toBeDefined();
  });
});
