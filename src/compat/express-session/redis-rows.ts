// The rows of connect-redis 9 and 10: the JSON text of a session under the prefix and the sid. It is known by
// its public fields, and asked through the client in them.
import { hasMethods } from "../../base/options.ts";
import { SECOND } from "../../base/time.ts";
import type { ExpressSessionStore } from "../../stores/express/calls.ts";
import { connectionOf, isRedisClient, type RedisClient } from "../../stores/redis/client.ts";
import type { RedisConnection } from "../../stores/redis/connection.ts";
import { textOf } from "../../stores/redis/row.ts";
import { RedisScript } from "../../stores/redis/script.ts";
import type { ExpressRow } from "./row.ts";
import { areOfOneClass, type ReadRow, type SwapRows } from "./swap-rows.ts";

/** The public fields of connect-redis' store. */
interface ConnectRedis {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly serializer: {
    parse(text: string): unknown;
    stringify(session: ExpressRow): string;
  };
  /** Seconds, for a session whose cookie has no end; a function decides on all. */
  readonly ttl: number | ((session: ExpressRow) => number);
  readonly disableTTL: boolean;
}

/**
 * KEYS[1] is the row. ARGV: "new" or "old"; the text that it must have, if it is an old one; the next
 * text; its seconds to live, "" for no end; with none left it is removed. Gives 1 when it has written.
 */
const swapping = new RedisScript(`
local found = redis.call("GET", KEYS[1])
if ARGV[1] == "new" then
  if found then return 0 end
elseif found ~= ARGV[2] then
  return 0
end
if ARGV[4] == "" then
  redis.call("SET", KEYS[1], ARGV[3])
elseif tonumber(ARGV[4]) <= 0 then
  redis.call("DEL", KEYS[1])
else
  redis.call("SET", KEYS[1], ARGV[3], "EX", ARGV[4])
end
return 1
`);

/** The answers of PTTL. */
const GONE = -2;
const ENDLESS = -1;

/**
 * The rows of a connect-redis store; undefined for any other store. Versions 7 and 8 hide the client.
 */
export function redisRows(store: ExpressSessionStore, now: () => number): SwapRows | undefined {
  return isConnectRedis(store) ? new RedisRows(store, now) : undefined;
}

class RedisRows implements SwapRows {
  readonly #store: ConnectRedis;
  readonly #now: () => number;
  #connection: RedisConnection | undefined;

  constructor(store: ConnectRedis, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async read(sid: string): Promise<ReadRow | undefined> {
    const key = this.#store.prefix + sid;
    const [reply, left] = await Promise.all([
      this.#redis.send(key, ["get", key]),
      this.#redis.send(key, ["pttl", key]),
    ]);
    // As connect-redis: no text and an empty one are no row.
    if (reply === null || reply === undefined || Number(left) === GONE) return undefined;
    const text = textOf(reply);
    if (text === "") return undefined;
    const end = Number(left) === ENDLESS ? Infinity : this.#now() + Number(left);
    return { text, session: await this.#parse(text), end };
  }

  /** @returns undefined for what is no row; a serializer's other errors are its own. */
  async #parse(text: string): Promise<unknown> {
    try {
      return await this.#store.serializer.parse(text);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async swap(
    sid: string,
    before: string | undefined,
    session: ExpressRow,
    expires: number,
  ): Promise<boolean> {
    const key = this.#store.prefix + sid;
    const condition = before === undefined ? ["new", ""] : ["old", before];
    const text = this.#store.serializer.stringify(session);
    const args = [...condition, text, this.#secondsOf(session, expires)];
    const { reply } = await swapping.run(this.#redis, { key, args });
    return Number(reply) === 1;
  }

  /** The row's time to live in whole seconds, by connect-redis' own rules; "": no end. */
  #secondsOf(session: ExpressRow, expires: number): string {
    const { ttl, disableTTL } = this.#store;
    if (disableTTL) return "";
    if (typeof ttl === "function") return String(ttl(session));
    return String(expires === Infinity ? ttl : Math.ceil((expires - this.#now()) / SECOND));
  }

  /** Looked at late: applications make the store first and connect then. */
  get #redis(): RedisConnection {
    return (this.#connection ??= connectionOf(this.#store.client));
  }
}

function isConnectRedis(store: object): store is ConnectRedis {
  const { client, prefix, serializer, ttl, disableTTL } = store as Partial<ConnectRedis>;
  return (
    isRedisClient(client) &&
    typeof prefix === "string" &&
    (typeof ttl === "number" || typeof ttl === "function") &&
    typeof disableTTL === "boolean" &&
    hasMethods(serializer, "parse", "stringify") &&
    areOfOneClass(store, ["get", "set", "touch", "destroy", "getTTL"])
  );
}
