// The client of Upstash, which speaks to Redis over HTTP: each command is a request of its own, so it works
// where there are no TCP connections. No driver is imported.
import { fail, hasMethods } from "../../base/options.ts";
import { utf8Length } from "../../base/text.ts";
import type { RedisConnection } from "./connection.ts";

/** A `Redis` of @upstash/redis, made with `automaticDeserialization: false` and `responseEncoding: false`. */
export interface UpstashClient {
  exec(command: [command: string, ...args: string[]]): Promise<unknown>;
  /** Set by the library's own scripts; tells it from other clients that have `exec`. */
  createScript(...args: never[]): unknown;
}

/** The parts of the client's settings that change what is answered. */
interface UpstashSettings {
  readonly opts?: { readonly automaticDeserialization?: unknown };
  readonly client?: {
    readonly options?: { readonly responseEncoding?: unknown; readonly signal?: unknown };
  };
}

/** Reads a session by a script, since a script is for the primary, and a replica may not know of a logout. */
const READING = 'return redis.call("HGETALL", KEYS[1])';
/** What the client adds to a server's error: the whole command, with its values. */
const COMMAND = /, (?:command was:|with args beginning with:).*$/s;

/** True for a client of @upstash/redis. */
export function isUpstash(client: unknown): client is UpstashClient {
  return hasMethods(client, "exec", "createScript", "evalsha");
}

/** Commands to Upstash, or to whatever speaks its protocol. */
export class UpstashConnection implements RedisConnection {
  readonly waits = false;
  readonly #client: UpstashClient;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE for a client that changes its answers. */
  constructor(client: UpstashClient) {
    checkSettings(client as UpstashSettings);
    this.#client = client;
  }

  async send(key: string, command: readonly string[]): Promise<unknown> {
    const isRead = command[0] === "hgetall";
    const [first = "", ...rest] = isRead ? ["eval", READING, "1", key] : command;
    try {
      return await this.#client.exec([first, ...rest]);
    } catch (error) {
      throw withoutValues(error);
    }
  }

  sendAndWait(): Promise<never> {
    return Promise.reject(new Error("WAIT needs a connection, which Upstash's client hasn't"));
  }
}

function checkSettings({ opts, client }: UpstashSettings): void {
  if (opts?.automaticDeserialization !== false) {
    refuse(
      "needs automaticDeserialization: false and responseEncoding: false, or it changes values " +
        "that look like JSON or base64",
    );
  }
  const { responseEncoding, signal } = client?.options ?? {};
  if (responseEncoding === "base64") {
    refuse("needs responseEncoding: false beside automaticDeserialization: false");
  }
  if (typeof signal === "object" && signal !== null) {
    refuse(
      "has an AbortSignal, whose abort it gives for an answer; pass a function that gives one",
    );
  }
}

/** The error without the command, or the answer, that the client put into it. */
function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message } = error;
  if (name === "UpstashJSONParseError" || name === "SyntaxError") {
    return renamed(name, `Upstash's answer is no JSON (${utf8Length(message)} bytes are left out)`);
  }
  return name === "UpstashError" ? renamed(name, message.replace(COMMAND, "")) : error;
}

function renamed(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

function refuse(message: string): never {
  return fail("client", message, "ERR_SESSION_CONFIG_STORE");
}
