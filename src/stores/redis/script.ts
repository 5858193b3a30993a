// A Lua script that touches keys of one hash slot, mostly one, called by its hash and sent whole where the server doesn't
// know it: first use, a restart, a failover, SCRIPT FLUSH. It knows no session.
import { sha1 } from "@noble/hashes/legacy.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { StoreError, type StoreOperation } from "../../errors.ts";
import { isReplyError, type RedisConnection, type ReplicationWait } from "./client.ts";

/** How a script's answer is waited for. */
export interface ScriptCall {
  /** The key that the script touches. */
  readonly key: string;
  /** Others that it touches, of the same hash slot. */
  readonly beside?: readonly string[];
  readonly args: readonly string[];
  /** Absent: the master's word is enough. */
  readonly wait?: ReplicationWait | undefined;
}

/** What a script gave back. */
export interface ScriptAnswer {
  readonly reply: unknown;
  /** How many replicas have it; Infinity where nobody asked. */
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

  /** @throws whatever the client throws. */
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
 * Throws unless enough replicas have what was written.
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
