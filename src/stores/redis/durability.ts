// When a write to Redis counts as saved: the options of the store and the log.
import { type Checked, count, fail, oneOf, type ReadersOf, seconds } from "../../base/options.ts";
import { SECOND } from "../../base/time.ts";
import type { RedisConnection, ReplicationWait } from "./connection.ts";

/** The replication that a write waits for. */
export interface RedisDurability {
  /**
   * When a change counts as saved: "master", when the master has it, which a failover can undo; or
   * "replicated", when `replicas` replicas have it too. Default "master".
   */
  readonly durability?: "master" | "replicated" | undefined;
  /** How many replicas "replicated" waits for. Default 1. */
  readonly replicas?: number | undefined;
  /** How long it waits for them, in seconds; less than `storeTimeout`. Default 0.3. */
  readonly replicaTimeout?: number | undefined;
}

/** The same, checked. */
export type DurabilitySettings = Checked<RedisDurability>;

const DEFAULT_REPLICA_TIMEOUT = 0.3;

/** Readers of {@link RedisDurability}. */
export function durabilityReaders(): ReadersOf<DurabilitySettings> {
  return {
    durability: oneOf(["master", "replicated"], "master"),
    replicas: count(1),
    replicaTimeout: seconds(DEFAULT_REPLICA_TIMEOUT, 60, "the longest storeTimeout"),
  };
}

/**
 * The replication that a write waits for; undefined: only the master's answer.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD for a client that can't wait.
 */
export function waitOf(
  options: DurabilitySettings,
  { waits }: Pick<RedisConnection, "waits">,
): ReplicationWait | undefined {
  const { durability, replicas, replicaTimeout } = options;
  if (durability === "master") return undefined;
  if (!waits) {
    const message =
      'can\'t be "replicated" with a client over HTTP, where WAIT knows of no write before it; leave ' +
      "it out, or take a client over TCP";
    fail("durability", message);
  }
  return { replicas, timeoutMs: Math.ceil(replicaTimeout * SECOND) };
}
