// What every client of SQLite is tested with alike: the statements that look behind the store.
import type { SqlSubject } from "./sql.ts";

type Engine = Pick<SqlSubject, "name" | "clock" | "makeStore" | "execute">;

/** A client of SQLite, as the tests of SQL stores take it. */
export function sqliteSubject(engine: Engine): SqlSubject {
  return {
    ...engine,
    quote: (table) => `"${table}"`,
    foreign: [
      "data = ''",
      "data = substr(data, 1, 4)",
      "data = '[]'",
      "data = '\"a\"'",
      `data = '{"a":1}'`,
      `data = '{"a":{"b":"c"}}'`,
      `data = '{"a":"~"}'`,
      "data = x'00ff'",
      "rev = 'one', data = '{}'",
      "rev = 0, data = '{}'",
      "generation = -1, data = '{}'",
      "generation = 1.5, data = '{}'",
      "expires = 'never', data = '{}'",
      "meta = '~!', data = '{}'",
      "meta = x'00'",
    ],
    fill: (table, bound, count, expires) => `
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO "${table}" (id, data, rev, generation, expires, meta, subject, due)
      SELECT printf('%022d', i), '{}', 1, 1, ${expires}, '', '${bound}', ${expires} FROM n`,
  };
}
