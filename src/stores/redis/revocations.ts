// `redisRevocations`: revocations that follow a stream of Redis or Valkey.
import {
  type FollowOptions,
  followOptionNames,
  RevocationFollower,
} from "../../revocations/follower.ts";
import { checkNames } from "../../revocations/listed.ts";
import type { Revocations } from "../../revocations/revocations.ts";
import { kindOf } from "../../base/text.ts";
import { ConfigError } from "../../errors.ts";
import { connectionOf, type RedisClient } from "./client.ts";
import { checkDurability, type RedisDurability } from "./durability.ts";
import { RedisRevocationLog } from "./revocation-log.ts";

/** Where the log is, what a revocation waits for, and how the log is followed. */
export interface RedisRevocationsOptions extends FollowOptions, RedisDurability {
  /** A connected client of node-redis, ioredis or iovalkey: single server, Sentinel or cluster. */
  readonly client: RedisClient;
  /** Begins the names of the three keys. Default "kocha:". */
  readonly prefix?: string | undefined;
}

const optionNames = [
  "client",
  "prefix",
  "durability",
  "replicas",
  "replicaTimeout",
  ...followOptionNames,
];
const DEFAULT_PREFIX = "kocha:";

/**
 * Revocations in Redis 7 or Valkey 8, followed by every process.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function redisRevocations(options: RedisRevocationsOptions): Revocations {
  checkNames("redisRevocations", options, optionNames);
  const { client, prefix = DEFAULT_PREFIX } = options;
  if (typeof prefix !== "string") {
    const message = `must be a string, not ${kindOf(prefix)}`;
    throw new ConfigError("ERR_SESSION_CONFIG_FIELD", "prefix", message);
  }
  const log = new RedisRevocationLog(connectionOf(client), prefix, checkDurability(options));
  return new RevocationFollower(log, options);
}
