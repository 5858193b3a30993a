// Sessions and revocations in one database, by the SQLite store. A request calls a method by its name; what
// it throws is told as an error's name and message.
import { sqliteClient } from "../../../src/stores/sql/sqlite-clients.ts";
import { SqliteRevocationLog } from "../../../src/stores/sql/sqlite-revocations.ts";
import { SessionSqliteStore } from "../../../src/stores/sqlite.ts";
import { decode, encode } from "../wire.ts";

/** A database in workerd, which the tests call from outside. */
export class Place {
  #now = 0;
  #client;
  #execute;
  #stores = new Map();
  #logs = new Map();

  /**
   * @param client - as the store takes it.
   * @param execute - runs SQL beside the store.
   */
  constructor(client, execute) {
    this.#client = client;
    this.#execute = execute;
  }

  async answer(request) {
    const [method, ...args] = decode(await request.text());
    try {
      return new Response(encode({ answer: await this[method](...args) }));
    } catch ({ name, message }) {
      return new Response(encode({ error: { name, message } }));
    }
  }

  /** A store's answer by the clock of the test; `list` gives all at once. */
  async store(table, now, method, args) {
    this.#now = now;
    const client = this.#client;
    const store = await this.#of(this.#stores, table, () => {
      return new SessionSqliteStore({ client, table, now: () => this.#now });
    });
    if (method !== "list") return store[method](...args);
    const listed = [];
    for await (const one of store.list(...args)) listed.push(one);
    return listed;
  }

  async log(table, page, method, args) {
    const log = await this.#of(this.#logs, table, () => {
      return new SqliteRevocationLog(sqliteClient(this.#client), table, Date.now, page);
    });
    return log[method](...args);
  }

  /** Whether a store answers at once. */
  async isAtOnce(table) {
    const store = await this.#of(this.#stores, table, () => {
      return new SessionSqliteStore({ client: this.#client, table });
    });
    const answer = store.load("A".repeat(22));
    await answer;
    return !(answer instanceof Promise);
  }

  async execute(text) {
    await this.#execute(text);
  }

  /** The store or log of a table, which it makes first. */
  #of(all, table, make) {
    const made = async () => {
      const one = make();
      await one.createTable();
      return one;
    };
    if (!all.has(table)) all.set(table, made());
    return all.get(table);
  }
}
