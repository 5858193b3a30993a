// Where a benchmark gets its packages: the peers of bench/package.json by name, and ours as users
// run it, from dist. Nothing else imports either, so that the type check needs no peer installed.
import { readFileSync } from "node:fs";
import type * as Core from "../../src/index.ts";
import type * as Payload from "../../src/crypto/payload.ts";
import type * as Keyring from "../../src/crypto/keyring.ts";
import type * as Token from "../../src/crypto/token.ts";
import type * as Express from "../../src/hosts/express.ts";
import type * as Fastify from "../../src/hosts/fastify.ts";
import type * as Fetch from "../../src/hosts/fetch.ts";
import type * as H3 from "../../src/hosts/h3.ts";
import type * as Hono from "../../src/hosts/hono.ts";
import type * as Koa from "../../src/hosts/koa.ts";
import type * as Node from "../../src/hosts/node.ts";
import type * as Memcached from "../../src/stores/memcached.ts";
import type * as Postgres from "../../src/stores/postgres.ts";
import type * as Mysql from "../../src/stores/mysql.ts";
import type * as Redis from "../../src/stores/redis.ts";
import type * as Sqlite from "../../src/stores/sqlite.ts";

/** The compiled benchmark lies in bench/.out/bench/lib. */
export const root: URL = new URL("../../../../", import.meta.url);

/** Our modules, by their file in dist. */
interface Ours {
  index: typeof Core;
  "crypto/payload": typeof Payload;
  "crypto/keyring": typeof Keyring;
  "crypto/token": typeof Token;
  "hosts/express": typeof Express;
  "hosts/fastify": typeof Fastify;
  "hosts/fetch": typeof Fetch;
  "hosts/h3": typeof H3;
  "hosts/hono": typeof Hono;
  "hosts/koa": typeof Koa;
  "hosts/node": typeof Node;
  "stores/memcached": typeof Memcached;
  "stores/postgres": typeof Postgres;
  "stores/mysql": typeof Mysql;
  "stores/redis": typeof Redis;
  "stores/sqlite": typeof Sqlite;
}

/** A module of ours, built. */
export async function ours<Name extends keyof Ours>(name: Name): Promise<Ours[Name]> {
  return (await import(new URL(`dist/${name}.js`, root).href)) as Ours[Name];
}

/** A peer's module; `Module` says as much of it as is used. */
export async function peer<Module>(name: string): Promise<Module> {
  return (await import(name)) as Module;
}

/** The version of a package that is installed for the benchmarks; "kocha-session" is ours. */
function versionOf(name: string): string {
  const file =
    name === "kocha-session"
      ? new URL("package.json", root)
      : new URL(`bench/node_modules/${name}/package.json`, root);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** Packages with their versions, for the results. */
export function versionsOf(names: readonly string[] = []): string {
  return names.map((name) => `${name} ${versionOf(name)}`).join(", ");
}

/** The URL of a peer's module, as an import in bench/ finds it. */
export function peerUrl(name: string): string {
  return import.meta.resolve(name);
}
