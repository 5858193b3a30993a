// Fastify's two: @fastify/secure-session, which seals by native libsodium, and @fastify/session,
// which keeps the data in memory.
import Fastify, { type FastifyPluginAsync, type FastifyRequest } from "fastify";
import { onFastify } from "../http/hosts/fastify.ts";
import { keyBytes, password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { BenchServer, RowScheme, Subject } from "../lib/subject.ts";

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

type Callback = (error: unknown, session?: Record<string, string>) => void;
interface MemoryModule {
  readonly MemoryStore: new () => {
    get(id: string, callback: Callback): void;
    set(id: string, session: object, callback: () => void): void;
  };
}
interface SignerModule {
  readonly Signer: new (secret: string) => object;
}
interface SessionModule {
  readonly default: new (...args: readonly unknown[]) => Record<string, string>;
}

/** Its store keeps the very session objects of its plugin. */
async function fastifyRows(): Promise<RowScheme> {
  const { MemoryStore } = await peer<MemoryModule>("@fastify/session");
  const { default: Session } = await peer<SessionModule>("@fastify/session/lib/session.js");
  const { Signer } = await peer<SignerModule>("@fastify/cookie");
  const store = new MemoryStore();
  const signer = new Signer(password);
  const cookie = { secure: false, maxAge: 90 * 86_400_000 };
  const request = {};
  const noId = (): string => "";
  const get = (id: string): Record<string, string> | undefined => {
    let found: Record<string, string> | undefined;
    store.get(id, (_, session) => {
      found = session;
    });
    return found;
  };
  const save = (id: string, before?: object): Record<string, string> =>
    new Session(store, request, noId, cookie, signer, before, id);
  const done = (): undefined => undefined;
  return {
    create: (id, pairs) => store.set(id, Object.assign(save(id), pairs), done),
    get: (id) => get(id)?.["name"],
    // As its plugin does at each request: a new session object from the one that is stored.
    change: (id, csrf) => store.set(id, Object.assign(save(id, get(id)), { csrf }), done),
  };
}

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
    memory: fastifyRows,
  },
  {
    name: "@fastify/session",
    kind: "peer",
    packages: ["@fastify/session"],
    note: "its defaults: sends the cookie anew with every response",
    http: { fastify: () => fastifySession({}) },
  },
];
