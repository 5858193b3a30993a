// One interface to the user's connected Redis or Valkey client of any known library. A client is
// recognized by its shape, so no driver is imported. It knows no session and no script.
import { kindOf } from "../../base/text.ts";
import { fail } from "../../base/options.ts";
import {
  isReplyError,
  type RedisConnection,
  type ReplicatedReply,
  type ReplicationWait,
} from "./connection.ts";
import { isUpstash, UpstashConnection, type UpstashClient } from "./upstash.ts";

/** A connected client of node-redis 4 or later: createClient, createClientPool, createCluster, createSentinel. */
interface NodeRedisClient {
  readonly isOpen: boolean;
  sendCommand(...args: never[]): Promise<unknown>;
  multi(...args: never[]): unknown;
}

/** A client of ioredis 4 or later, or of iovalkey: Redis, also behind Sentinel, or Cluster. */
interface IoredisClient {
  readonly status: string;
  call(...args: never[]): Promise<unknown>;
  pipeline(...args: never[]): unknown;
}

/** A client of a known library, connected where it has a connection. */
export type RedisClient = NodeRedisClient | IoredisClient | UpstashClient;

/** Node-redis' clients differ in the arguments before the command. */
interface NodeRedisShape {
  readonly isOpen: boolean;
  sendCommand(...args: unknown[]): Promise<unknown>;
  multi(): NodeRedisPipeline;
}

interface NodeRedisPipeline {
  addCommand(...args: unknown[]): NodeRedisPipeline;
  execAsPipeline(): Promise<readonly unknown[]>;
}

interface IoredisShape {
  readonly status: string;
  readonly options?: { readonly role?: unknown; readonly scaleReads?: unknown };
  call(name: string, ...args: string[]): Promise<unknown>;
  pipeline(): IoredisPipeline;
}

interface IoredisPipeline {
  call(...command: string[]): IoredisPipeline;
  exec(): Promise<readonly (readonly [error: Error | null, reply: unknown])[] | null>;
}

/** So many redirections of a command with WAIT are followed; the next one is an error. */
const MAX_REDIRECTIONS = 3;

/**
 * The connection behind a user's client.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE for an unknown client, one that isn't connected, and
 * one that reads from replicas.
 */
export function connectionOf(client: unknown): RedisConnection {
  if (isNodeRedis(client)) {
    if (!client.isOpen) {
      refuse("is not connected; await client.connect() before the store is made");
    }
    if ("masters" in client && !("withTypeMapping" in client)) {
      refuse("is a cluster of node-redis 4; clusters need node-redis 5 or later");
    }
    return new NodeRedisConnection(client, leadOf(client));
  }
  if (isIoredis(client)) {
    if (client.status === "end") refuse("is closed; make a new one, or keep it open");
    if (client.options?.role === "slave" || (client.options?.scaleReads ?? "master") !== "master") {
      refuse(
        "reads from replicas, which learn of a logout late; make one with role and scaleReads " +
          'at "master", their default',
      );
    }
    return new IoredisConnection(client);
  }
  if (isUpstash(client)) return new UpstashConnection(client);
  if (has(client, "send_command", "function") && has(client, "connected", "boolean")) {
    refuse("is a client of node-redis 3 or older, which has no promises; make one of 4 or later");
  }
  return refuse(
    "must be a connected client of node-redis (createClient, createClientPool, createCluster, " +
      "createSentinel), ioredis or iovalkey (Redis, Cluster), or a Redis of @upstash/redis, not " +
      kindOf(client),
  );
}

/** True for a client of a known library, connected or not. */
export function isRedisClient(client: unknown): client is RedisClient {
  return isNodeRedis(client) || isIoredis(client) || isUpstash(client);
}

class NodeRedisConnection implements RedisConnection {
  readonly waits = true;
  readonly #client: NodeRedisShape;
  readonly #lead: (key: string) => unknown[];

  constructor(client: NodeRedisShape, lead: (key: string) => unknown[]) {
    this.#client = client;
    this.#lead = lead;
  }

  send(key: string, command: readonly string[]): Promise<unknown> {
    return this.#client.sendCommand(...this.#lead(key), command);
  }

  batch(): RedisConnection {
    return this;
  }

  sendAndWait(
    key: string,
    command: readonly string[],
    wait: ReplicationWait,
  ): Promise<ReplicatedReply> {
    return followRedirections(this, key, async () => {
      const [reply, replicas] = await this.#client
        .multi()
        .addCommand(...this.#lead(key), command)
        .addCommand(...this.#lead(key), waitCommand(wait))
        .execAsPipeline();
      return { reply, replicas: Number(replicas) };
    });
  }
}

class IoredisConnection implements RedisConnection {
  readonly waits = true;
  readonly #client: IoredisShape;

  constructor(client: IoredisShape) {
    this.#client = client;
  }

  // The command's name in lower case, by which every version finds its keys.
  async send(_key: string, command: readonly string[]): Promise<unknown> {
    const [name = "", ...args] = command;
    try {
      return await this.#client.call(name, ...args);
    } catch (error) {
      throw withoutArguments(error);
    }
  }

  batch(): RedisConnection {
    return this;
  }

  sendAndWait(
    key: string,
    command: readonly string[],
    wait: ReplicationWait,
  ): Promise<ReplicatedReply> {
    return followRedirections(this, key, async () => {
      const replies = await this.#client
        .pipeline()
        .call(...command)
        .call(...waitCommand(wait))
        .exec();
      const [reply, replicas] = (replies ?? []).map(([error, value]) => {
        if (error !== null) throw withoutArguments(error);
        return value;
      });
      return { reply, replicas: Number(replicas) };
    });
  }
}

/** These clients attach the command to its error, which would put session values into logs. */
function withoutArguments(error: unknown): unknown {
  const failed = error as { command?: { name?: unknown } };
  if (error instanceof Error && failed.command !== undefined) {
    failed.command = { name: failed.command?.name };
  }
  return error;
}

function waitCommand({ replicas, timeoutMs }: ReplicationWait): string[] {
  return ["wait", String(replicas), String(timeoutMs)];
}

/** Clients follow MOVED only for single commands; sending one updates their slot map. */
async function followRedirections<T>(
  connection: RedisConnection,
  key: string,
  send: () => Promise<T>,
  left: number = MAX_REDIRECTIONS,
): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (left === 0 || !isReplyError(error, "MOVED")) throw error;
    await connection.send(key, ["exists", key]);
    return followRedirections(connection, key, send, left - 1);
  }
}

/** The arguments before the command: none, or the key that routes it and whether it is read-only. */
function leadOf(client: object): (key: string) => unknown[] {
  if ("masters" in client) return (key) => [key, false];
  if ("getMasterNode" in client) return () => [false];
  return () => [];
}

function isNodeRedis(client: unknown): client is NodeRedisShape {
  return (
    has(client, "isOpen", "boolean") &&
    has(client, "sendCommand", "function") &&
    has(client, "multi", "function")
  );
}

function isIoredis(client: unknown): client is IoredisShape {
  return (
    has(client, "status", "string") &&
    has(client, "call", "function") &&
    has(client, "pipeline", "function")
  );
}

function has(value: unknown, name: string, type: "boolean" | "function" | "string"): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === type
  );
}

function refuse(message: string): never {
  return fail("client", message, "ERR_SESSION_CONFIG_STORE");
}
