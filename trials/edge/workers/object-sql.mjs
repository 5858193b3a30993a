// An object whose storage holds sessions and revocations, by the SQLite store. A request calls one of its
// methods by its name; what it throws is told as an error's name and message.
import { DurableObject } from "cloudflare:workers";
import { sqliteClient } from "../../../src/stores/sql/sqlite-clients.ts";
import { SqliteRevocationLog } from "../../../src/stores/sql/sqlite-revocations.ts";
import { SessionSqliteStore } from "../../../src/stores/sqlite.ts";
import { decode, encode } from "../wire.ts";

export class Place extends DurableObject {
  #now = 0;
  #stores = new Map();
  #logs = new Map();

  async fetch(request) {
    const [method, ...args] = decode(await request.text());
    try {
      return new Response(encode({ answer: await this[method](...args) }));
    } catch ({ name, message }) {
      return new Response(encode({ error: { name, message } }));
    }
  }

  /** A store's answer; `list` gives all at once. */
  async store(table, now, method, args) {
    this.#now = now;
    const store = this.#of(this.#stores, table, () => {
      const client = this.ctx.storage.sql;
      return new SessionSqliteStore({ client, table, now: () => this.#now });
    });
    if (method !== "list") return store[method](...args);
    const listed = [];
    for await (const one of store.list(...args)) listed.push(one);
    return listed;
  }

  async log(table, page, method, args) {
    const log = this.#of(this.#logs, table, () => {
      return new SqliteRevocationLog(sqliteClient(this.ctx.storage.sql), table, Date.now, page);
    });
    return log[method](...args);
  }

  /** Whether the store answers at once, as the storage does. */
  async isAtOnce(table) {
    const store = new SessionSqliteStore({ client: this.ctx.storage.sql, table });
    return !(store.load("A".repeat(22)) instanceof Promise);
  }

  /** Runs SQL beside the store, and gives the rows that were written. */
  async execute(text) {
    const cursor = this.ctx.storage.sql.exec(text);
    cursor.toArray();
    return cursor.rowsWritten;
  }

  #of(all, table, make) {
    if (!all.has(table)) all.set(table, make());
    return all.get(table);
  }
}

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: (request, env) => env.PLACE.get(env.PLACE.idFromName("one")).fetch(request),
};
