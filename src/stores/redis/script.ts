// A Lua script on keys of one hash slot, called by its SHA-1 and sent whole where the server doesn't
// have it: at first use, after a restart, a failover or SCRIPT FLUSH. It knows no session.
import { sha1 } from "@noble/hashes/legacy.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { StoreError, type StoreOperation } from "../../errors.ts";
import { isReplyError, type RedisConnection, type ReplicationWait } from "./connection.ts";

/** The keys of a call, and its replication. */
export interface ScriptCall {
  /** The key that the script touches. */
  readonly key: string;
  /** Others that it touches, of the same hash slot. */
  readonly beside?: readonly string[];
  readonly args: readonly string[];
  /** Absent: the master's answer is enough. */
  readonly wait?: ReplicationWait | undefined;
}

/** A script's reply. */
export interface ScriptAnswer {
  readonly reply: unknown;
  /** How many replicas have the write; Infinity where no WAIT was sent. */
  readonly replicas: number;
}

/** One script, ready to be called on any connection. */
export class RedisScript {
  readonly #text: string;
  readonly #hash: string;

  constructor(text: string) {
    this.#text = text;
    // The server's name for a script is its SHA-1: a name, no protection.
    this.#hash = bytesToHex(sha1(utf8ToBytes(text)));
  }

  /** @throws the client's own errors. */
  async run(connection: RedisConnection, call: ScriptCall): Promise<ScriptAnswer> {
    try {
      return await send(connection, ["evalsha", this.#hash], call);
    } catch (error) {
      // The server has run nothing, so this is no retry.
      if (!isReplyError(error, "NOSCRIPT")) throw error;
      return send(connection, ["eval", this.#text], call);
    }
  }
}

/**
 * Throws unless enough replicas have the write.
 * @throws {StoreError} ERR_SESSION_STORE_UNREPLICATED
 */
export function mustBeReplicated(
  replicas: number,
  wait: ReplicationWait | undefined,
  operation: StoreOperation,
): void {
  if (wait === undefined || replicas >= wait.replicas) return;
  throw new StoreError(
    "ERR_SESSION_STORE_UNREPLICATED",
    operation,
    `the master applied it, but ${replicas} of ${wait.replicas} replicas had it after ` +
      `${wait.timeoutMs} ms: a failover now could undo it`,
  );
}

async function send(
  connection: RedisConnection,
  start: readonly string[],
  { key, beside = [], args, wait }: ScriptCall,
): Promise<ScriptAnswer> {
  const command = [...start, String(beside.length + 1), key, ...beside, ...args];
  if (wait !== undefined) return connection.sendAndWait(key, command, wait);
  return { reply: await connection.send(key, command), replicas: Infinity };
}
