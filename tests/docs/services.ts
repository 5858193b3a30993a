// The servers that snippets connect to: a snippet that reads one of these variables gets a private
// server of its kind, started for the run.
import { startOAuth2Server } from "../support/oauth2-server.ts";
import { startMariadb } from "../support/servers/mariadb.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { startRedis } from "../support/servers/redis.ts";
import { startUpstash } from "../support/servers/upstash.ts";
import { type Snippet, variablesOf } from "./snippets.ts";

interface Service {
  readonly address: string;
  readonly close: () => Promise<void>;
}

const starters: Readonly<Record<string, () => Promise<Service>>> = {
  REDIS_URL: async () => withUrl(await startRedis()),
  POSTGRES_URL: async () => withUrl(await startPostgres()),
  MYSQL_URL: async () => withUrl(await startMariadb()),
  UPSTASH_REDIS_REST_URL: async () => {
    const redis = await startRedis();
    const front = await startUpstash(redis.url);
    return {
      address: front.url,
      close: async () => {
        await front.close();
        await redis.close();
      },
    };
  },
  OAUTH2_URL: async () => withUrl(await startOAuth2Server()),
};

function withUrl({ url, close }: { url: string; close: () => Promise<void> }): Service {
  return { address: url, close };
}

/** Starts what the snippets read; `env` has the addresses. */
export async function startServices(
  snippets: readonly Snippet[],
): Promise<{ readonly env: Record<string, string>; readonly close: () => Promise<void> }> {
  const names = Object.entries(starters).filter(([name]) =>
    snippets.some((snippet) => variablesOf(snippet).includes(name)),
  );
  const started = await Promise.all(
    names.map(async ([name, start]) => ({ name, service: await start() })),
  );
  return {
    env: {
      // The AWS SDK writes of versions to come to stderr, where a snippet writes nothing.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      ...Object.fromEntries(started.map(({ name, service }) => [name, service.address])),
    },
    close: async () => {
      await Promise.all(started.map(({ service }) => service.close()));
    },
  };
}
