// What Upstash's servers do, in front of a Redis of the tests': a command is a request, a JSON array of texts
// whose answer is { result } or { error }; to /pipeline goes a list of commands, whose answer is theirs.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Redis, type RedisConfigNodejs } from "@upstash/redis";
import { createClient } from "redis";

/** A running front. */
export interface UpstashFront {
  readonly url: string;
  /** The commands that came, with their arguments. */
  readonly commands: string[][];
  /** The same, by the requests that they came in. */
  readonly requests: (readonly string[][])[];
  readonly close: () => Promise<void>;
}

/** The answer to a command. */
type Answer = { readonly result: unknown } | { readonly error: string };

/** Starts a front of the Redis at `address`; the caller closes it. */
export async function startUpstash(address: string): Promise<UpstashFront> {
  // By the protocol that answers HGETALL with a list, as Upstash does.
  const redis = createClient({ url: address, RESP: 2 });
  await redis.connect();
  const commands: string[][] = [];
  const requests: (readonly string[][])[] = [];
  const answerTo = async (given: unknown, isEncoded: boolean): Promise<Answer> => {
    const command = textsOf(given);
    commands.push(command);
    try {
      const reply: unknown = await redis.sendCommand(command);
      return { result: isEncoded ? encoded(reply) : reply };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };
  const bodyFor = async (request: IncomingMessage): Promise<Answer | Answer[]> => {
    const body = JSON.parse(await text(request)) as unknown[];
    const isList = request.url === "/pipeline";
    requests.push((isList ? body : [body]).map((command) => textsOf(command)));
    const isEncoded = request.headers["upstash-encoding"] === "base64";
    if (!isList) return answerTo(body, isEncoded);
    return Promise.all(body.map((command) => answerTo(command, isEncoded)));
  };
  const server = createServer((request, response) => {
    void bodyFor(request).then((body) => {
      response.writeHead("error" in body ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    commands,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await redis.close();
    },
  };
}

/** A client as the store needs it, or with other options. */
export function upstashClientOf(url: string, options: Partial<RedisConfigNodejs> = {}): Redis {
  return new Redis({
    url,
    token: "token",
    automaticDeserialization: false,
    responseEncoding: false,
    enableTelemetry: false,
    ...options,
  });
}

function textsOf(command: unknown): string[] {
  return (command as unknown[]).map(String);
}

function encoded(reply: unknown): unknown {
  if (typeof reply === "string") return Buffer.from(reply).toString("base64");
  return Array.isArray(reply) ? reply.map(encoded) : reply;
}
