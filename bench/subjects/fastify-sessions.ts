// Fastify's two: @fastify/secure-session, which seals by native libsodium, and @fastify/session,
// which keeps the data in memory.
import Fastify, { type FastifyPluginAsync, type FastifyRequest } from "fastify";
import { onFastify } from "../http/hosts/fastify.ts";
import { keyBytes, password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { BenchServer, Subject } from "../lib/subject.ts";

interface Bag {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}
interface SecureSession {
  createSecureSession(data: object): Bag;
  encodeSecureSession(session: Bag): string;
  decodeSecureSession(value: string): Bag | null;
}

type Options = Record<string, unknown>;
const plugin = async (name: string): Promise<FastifyPluginAsync<Options>> =>
  (await peer<{ readonly default: FastifyPluginAsync<Options> }>(name)).default;

const bag = (request: FastifyRequest): Bag => (request as unknown as { session: Bag }).session;

const actions = {
  login: (request: FastifyRequest) => {
    for (const [key, value] of Object.entries(loginData)) bag(request).set(key, value);
  },
  read: (request: FastifyRequest) => bag(request).get("name"),
  write: (request: FastifyRequest, _: unknown, csrf: string) => bag(request).set("csrf", csrf),
};

const secureOptions = { key: keyBytes("secure-session"), cookie: { path: "/" } };

async function fastifySession(options: Options): Promise<BenchServer> {
  const [cookie, session] = [await plugin("@fastify/cookie"), await plugin("@fastify/session")];
  return onFastify({
    mount: async (app) => {
      await app.register(cookie);
      await app.register(session, {
        secret: password,
        cookieName: "session",
        cookie: { secure: false, maxAge: 90 * 86_400_000 },
        saveUninitialized: false,
        ...options,
      });
    },
    ...actions,
  });
}

/** Fastify's. */
export const subjects: readonly Subject[] = [
  {
    name: "@fastify/secure-session",
    kind: "peer",
    packages: ["@fastify/secure-session"],
    note: "encrypted, native libsodium",
    seal: async (pairs) => {
      const app = Fastify();
      await app.register(await plugin("@fastify/secure-session"), secureOptions);
      await app.ready();
      const secure = app as unknown as SecureSession;
      return {
        seal: () => secure.encodeSecureSession(secure.createSecureSession({ ...pairs })),
        open: (value) => secure.decodeSecureSession(value)?.get("name"),
      };
    },
    http: {
      fastify: async () => {
        const secure = await plugin("@fastify/secure-session");
        return onFastify({ mount: async (app) => app.register(secure, secureOptions), ...actions });
      },
    },
  },
  {
    name: "@fastify/session, rolling off",
    kind: "peer",
    packages: ["@fastify/session"],
    note: "a signed id in the cookie, the data in memory",
    http: { fastify: () => fastifySession({ rolling: false }) },
  },
  {
    name: "@fastify/session",
    kind: "peer",
    packages: ["@fastify/session"],
    note: "its defaults: sends the cookie anew with every response",
    http: { fastify: () => fastifySession({}) },
  },
];
