// The client of Upstash, which speaks to Redis over HTTP: each command, or each batch of them, is a request of
// its own, so it works where there are no TCP connections. No driver is imported.
import { fail, hasMethods } from "../../base/options.ts";
import { utf8Length } from "../../base/text.ts";
import type { RedisConnection } from "./connection.ts";

/** A `Redis` of @upstash/redis, made with `automaticDeserialization: false` and `responseEncoding: false`. */
export interface UpstashClient {
  exec(command: [command: string, ...args: string[]]): Promise<unknown>;
  pipeline(...args: never[]): unknown;
  /** Set by the library's own scripts; tells it from other clients that have `exec`. */
  createScript(...args: never[]): unknown;
}

/** The client's list of commands that it sends in one request. */
interface UpstashPipeline {
  eval(script: string, keys: readonly string[], args: readonly string[]): unknown;
  evalsha(sha1: string, keys: readonly string[], args: readonly string[]): unknown;
  exec(options: { keepErrors: true }): Promise<readonly UpstashAnswer[]>;
}

/** What one command of a list came to; no reply of Redis is undefined. */
interface UpstashAnswer {
  readonly result?: unknown;
  /** Absent, null or empty: none. */
  readonly error?: string | null | undefined;
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
  return hasMethods(client, "exec", "createScript", "evalsha", "pipeline");
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
    const [first = "", ...rest] = commandOf(key, command);
    try {
      return await this.#client.exec([first, ...rest]);
    } catch (error) {
      throw withoutValues(error);
    }
  }

  batch(): RedisConnection {
    return new UpstashBatch(() => this.#client.pipeline() as UpstashPipeline);
  }

  sendAndWait(): Promise<never> {
    return noWait();
  }
}

/** A command, and who waits for its answer. */
interface Waiting {
  readonly command: readonly string[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Scripts that are called at once, in one request. Not for several users' requests: one may be cancelled. */
class UpstashBatch implements RedisConnection {
  readonly waits = false;
  readonly #pipeline: () => UpstashPipeline;
  #waiting: Waiting[] = [];

  constructor(pipeline: () => UpstashPipeline) {
    this.#pipeline = pipeline;
  }

  send(key: string, command: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command: commandOf(key, command), resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => void this.#flush());
    });
  }

  batch(): RedisConnection {
    return this;
  }

  sendAndWait(): Promise<never> {
    return noWait();
  }

  async #flush(): Promise<void> {
    const sent = this.#waiting;
    this.#waiting = [];
    try {
      const pipeline = this.#pipeline();
      for (const { command } of sent) {
        const [name, script = "", count, ...rest] = command;
        const keys = rest.splice(0, Number(count));
        pipeline[name === "eval" ? "eval" : "evalsha"](script, keys, rest);
      }
      const answers = await pipeline.exec({ keepErrors: true });
      for (const [index, { resolve, reject }] of sent.entries()) {
        const { result, error } = answers[index] ?? {};
        if (result !== undefined && !error) resolve(result);
        else reject(withoutValues(renamed("UpstashError", error || "the command has no answer")));
      }
    } catch (error) {
      for (const { reject } of sent) reject(withoutValues(error));
    }
  }
}

/** The command for the primary. */
function commandOf(key: string, command: readonly string[]): readonly string[] {
  return command[0] === "hgetall" ? ["eval", READING, "1", key] : command;
}

function noWait(): Promise<never> {
  return Promise.reject(new Error("WAIT needs a connection, which Upstash's client hasn't"));
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
