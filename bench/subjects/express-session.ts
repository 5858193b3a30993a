// express-session over its own MemoryStore, memorystore and connect-redis: an id in a signed cookie.
import type { RequestHandler } from "express";
import { onExpress } from "../http/hosts/express.ts";
import { onNode } from "../http/hosts/node.ts";
import { password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { RowScheme, Subject } from "../lib/subject.ts";

/** A store as express-session wants it. */
interface Store {
  get(id: string, callback: (error: unknown, session?: Record<string, string>) => void): void;
  set(id: string, session: object, callback: (error?: unknown) => void): void;
}
interface ExpressSession {
  (options: object): RequestHandler;
  readonly MemoryStore: new () => Store;
  readonly Cookie: new (options: object) => object;
}
interface ConnectRedis {
  readonly RedisStore: new (options: object) => Store;
}
interface NodeRedis {
  readonly createClient: (options: object) => { connect(): Promise<unknown>; destroy(): void };
}

async function load(): Promise<ExpressSession> {
  return (await peer<{ readonly default: ExpressSession }>("express-session")).default;
}

async function memorystore(): Promise<new (options: object) => Store> {
  type Make = (session: ExpressSession) => new (options: object) => Store;
  const { default: make } = await peer<{ readonly default: Make }>("memorystore");
  return make(await load());
}

const bag = (request: object): Record<string, string> =>
  (request as { readonly session: Record<string, string> }).session;

/** Its README's advice: nothing saved that didn't change, nothing stored for visitors. */
const options = (store: object): object => ({
  name: "session",
  secret: password,
  resave: false,
  saveUninitialized: false,
  cookie: { maxAge: 90 * 86_400_000 },
  store,
});

// Its session has an id of its own: the value goes under another name of the same length.
const pairs = Object.fromEntries(
  Object.entries(loginData).map(([key, value]) => [key === "id" ? "ID" : key, value]),
);

const actions = {
  login: (request: object) => void Object.assign(bag(request), pairs),
  read: (request: object) => bag(request)["name"],
  write: (request: object, _: unknown, csrf: string) => void Object.assign(bag(request), { csrf }),
};

function servers(makeStore: () => Promise<object>): NonNullable<Subject["http"]> {
  return {
    node: async () => {
      const mount = (await load())(options(await makeStore())) as unknown as Parameters<
        typeof onNode
      >[0]["mount"];
      return onNode({ ...(mount !== undefined && { mount }), ...actions });
    },
    express: async () => {
      const mount = (await load())(options(await makeStore()));
      return onExpress({ mount: (app) => app.use(mount), ...actions });
    },
  };
}

async function redisStore(port: number) {
  const { RedisStore } = await peer<ConnectRedis>("connect-redis");
  const { createClient } = await peer<NodeRedis>("redis");
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  await client.connect();
  return { store: new RedisStore({ client }), close: (): void => client.destroy() };
}

/** A store by itself: whole sessions with their cookie, as express-session hands them over. */
async function rows(store: Store): Promise<RowScheme> {
  const { Cookie } = await load();
  const cookie = (): object => new Cookie({ maxAge: 90 * 86_400_000 });
  const set = (id: string, session: object): Promise<void> =>
    new Promise((resolve, reject) => {
      store.set(id, session, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
  const get = (id: string): Promise<Record<string, string> | undefined> =>
    new Promise((resolve, reject) => {
      store.get(id, (error, session) => {
        if (error === undefined || error === null) resolve(session);
        else reject(error);
      });
    });
  const read = new Map<string, Record<string, string>>();
  return {
    create: (id, data) => set(id, { cookie: cookie(), ...data }),
    get: async (id) => (await get(id))?.["name"],
    change: async (id, csrf) => {
      // The request has the session that it read; one read serves for all of them.
      const session = read.get("") ?? (await get(id));
      if (session === undefined) throw new Error("the session is gone");
      read.set("", session);
      await set(id, { ...session, cookie: cookie(), csrf });
    },
  };
}

/** express-session. */
export const subjects: readonly Subject[] = [
  {
    name: "express-session, MemoryStore",
    kind: "peer",
    packages: ["express-session"],
    note: "a signed id in the cookie, the data in memory",
    http: servers(async () => new (await load()).MemoryStore()),
    memory: async () => rows(new (await load()).MemoryStore()),
  },
  {
    name: "express-session, memorystore",
    kind: "peer",
    packages: ["express-session", "memorystore"],
    note: "a signed id in the cookie, the data in memory",
    http: servers(async () => new (await memorystore())({ checkPeriod: 86_400_000 })),
    memory: async () => rows(new (await memorystore())({})),
  },
  {
    name: "express-session, connect-redis",
    kind: "peer",
    packages: ["express-session", "connect-redis", "redis"],
    note: "a signed id in the cookie, the data as one JSON in Redis",
    redis: async (port) => {
      const mount = (await load())(options((await redisStore(port)).store));
      return onExpress({ mount: (app) => app.use(mount), ...actions });
    },
    growth: {
      service: "redis",
      open: async (port) => {
        const { close, store } = await redisStore(port);
        return { ...(await rows(store)), close };
      },
    },
  },
];
