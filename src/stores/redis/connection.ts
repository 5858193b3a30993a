// What the store and the log need of a client. It knows no client library.

/** A command that was followed by WAIT on the same connection. */
export interface ReplicatedReply {
  readonly reply: unknown;
  /** How many replicas have acknowledged the command and all before it. */
  readonly replicas: number;
}

/** The arguments of a WAIT. */
export interface ReplicationWait {
  readonly replicas: number;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** Commands to the server, or in a cluster to the master that has the key. Each names one key. */
export interface RedisConnection {
  /** True if WAIT can follow a command on the same connection. */
  readonly waits: boolean;
  send(key: string, command: readonly string[]): Promise<unknown>;
  /** A connection for commands that are all sent at once: over HTTP they are one request. */
  batch(): RedisConnection;
  /** Both commands go over one connection: WAIT counts only that connection's writes. */
  sendAndWait(
    key: string,
    command: readonly string[],
    wait: ReplicationWait,
  ): Promise<ReplicatedReply>;
}

/** True for a server's error with this code: "NOSCRIPT", "WRONGTYPE", "MOVED" and the like. */
export function isReplyError(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(`${code} `);
}
