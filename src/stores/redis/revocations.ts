// `redisRevocations`: revocations that follow a stream of Redis or Valkey.
import { readOptions, text } from "../../base/options.ts";
import {
  type FollowOptions,
  followReaders,
  RevocationFollower,
} from "../../revocations/follower.ts";
import type { Revocations } from "../../revocations/revocations.ts";
import { connectionOf, type RedisClient } from "./client.ts";
import { durabilityReaders, type RedisDurability, waitOf } from "./durability.ts";
import { RedisRevocationLog } from "./revocation-log.ts";

/** The log's client and prefix, the replication of its writes, and how it is followed. */
export interface RedisRevocationsOptions extends FollowOptions, RedisDurability {
  /**
   * A connected client of node-redis, ioredis or iovalkey: single server, Sentinel or cluster; or a
   * `Redis` of Upstash's package, made with `automaticDeserialization: false` and `responseEncoding: false`.
   */
  readonly client: RedisClient;
  /** Begins the names of the three keys. Default "kocha:". */
  readonly prefix?: string | undefined;
}

/**
 * Revocations in Redis 7 or Valkey 8, followed by every process.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
 */
export function redisRevocations(options: RedisRevocationsOptions): Revocations {
  const read = readOptions("redisRevocations", options, {
    client: connectionOf,
    prefix: text("kocha:"),
    ...durabilityReaders(),
    ...followReaders(),
  });
  return new RevocationFollower(
    new RedisRevocationLog(read.client, read.prefix, waitOf(read, read.client)),
    read,
  );
}
