// The packages that a project of `kocha-session init` can depend on, in versions that run on
// Node.js 20, pinned.

/** Name to version. */
export const packageVersions = {
  tsx: "4.23.15",
  typescript: "7.0.2",
  express: "5.3.0",
  fastify: "5.12.8",
  koa: "3.3.0",
  hono: "4.13.19",
  "@hono/node-server": "2.1.8",
  h3: "2.0.8",
  libsql: "0.5.29",
  redis: "6.3.1",
  pg: "8.23.1",
  mysql2: "3.24.6",
  memcache: "1.7.0",
  unstorage: "1.17.6",
  memorystore: "1.6.8",
  "express-session": "1.19.0",
  wrangler: "4.86.0",
  "@cloudflare/workers-types": "4.20260426.1",
  "@types/express": "5.0.6",
  "@types/express-session": "1.19.0",
  "@types/koa": "3.0.3",
  "@types/node": "20.19.43",
  "@types/pg": "8.23.1",
} as const;

/** The name of one of these packages. */
export type Package = keyof typeof packageVersions;
