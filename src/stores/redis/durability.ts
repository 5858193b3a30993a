// When what was written to Redis counts as saved: the options of all that writes there, and their
// checks.
import { MAX_SECONDS, SECOND } from "../../base/time.ts";
import { kindOf } from "../../base/text.ts";
import { ConfigError } from "../../errors.ts";
import type { ReplicationWait } from "./client.ts";

/** What a write waits for. */
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

const DEFAULT_REPLICA_TIMEOUT = 0.3;

/**
 * What a write waits for; undefined: only for the master.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function checkDurability(options: RedisDurability): ReplicationWait | undefined {
  const { durability = "master" } = options;
  if (durability !== "master" && durability !== "replicated") {
    fail("durability", `must be "master" or "replicated", not ${kindOf(durability)}`);
  }
  const { replicas = 1, replicaTimeout = DEFAULT_REPLICA_TIMEOUT } = options;
  if (!Number.isInteger(replicas) || replicas < 1) {
    fail("replicas", `must be a whole number of replicas, at least 1`);
  }
  const isTime = typeof replicaTimeout === "number" && replicaTimeout > 0;
  if (!isTime || replicaTimeout > MAX_SECONDS) {
    fail("replicaTimeout", `must be a number of seconds over 0`);
  }
  if (durability === "master") return undefined;
  return { replicas, timeoutMs: Math.ceil(replicaTimeout * SECOND) };
}

function fail(field: string, message: string): never {
  throw new ConfigError("ERR_SESSION_CONFIG_FIELD", field, message);
}
