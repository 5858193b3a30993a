// The session libraries that are compared, each on its own host with the settings that its README
// advises. What a request does stands in its URL; routes.ts reads it.
import { createServer } from "node:http";
import { mergingCookies } from "../../src/merge/index.ts";
import express, { type RequestHandler } from "express";
import Fastify, { type FastifyPluginAsync, type FastifyReply } from "fastify";
import { H3, type H3Event } from "h3";
import { toNodeHandler } from "h3/node";
import Koa from "koa";
import {
  memoryRevocations,
  SessionCookieStore,
  sessionMap,
  SessionMemoryStore,
  type SessionConfig,
} from "../../src/index.ts";
import { sessionMiddleware } from "../../src/hosts/express.ts";
import { freshKey, freshKeys } from "../../tests/support/keys.ts";
import { listen } from "../../tests/support/listen.ts";
import { act, type Bag, type Routes } from "./routes.ts";

/** What a server is started with. */
interface Settings {
  /** The cookie's name. */
  readonly name: string;
  /** Seconds that a session lives. */
  readonly lifetime: number;
  readonly routes: Routes;
}

/** A library, as the comparison's table calls it. */
export interface Subject {
  readonly name: string;
  /** Whose version is told; undefined: ours. */
  readonly package?: string;
  /** Where the data is. */
  readonly kind: "on a server" | "in a cookie";
  readonly start: (
    settings: Settings,
  ) => Promise<{ readonly url: string; readonly close: () => Promise<void> }>;
}

const password = "a password of more than 32 characters, for all of them";
const keyBytes = Buffer.from(freshKey(), "base64");
const ourKeys = freshKeys();
const SECOND = 1000;

/** A peer's module; `Module` says as much of it as is used. They are installed in bench alone. */
async function peer<Module>(name: string): Promise<Module> {
  return (await import(name)) as Module;
}

type Data = Record<string, string> | null;

/** The bag of libraries whose session is a property of something, and null when it is over. */
function propertyBag(holder: object, end: () => void | Promise<void>): Bag {
  const host = holder as { session: Data };
  return {
    get: (key) => host.session?.[key],
    set: (key, value) => {
      if (host.session !== null) host.session[key] = value;
    },
    end,
  };
}

function onExpress(
  { routes }: Settings,
  mount: RequestHandler,
  bagOf: (request: express.Request) => Bag,
) {
  const app = express();
  app.set("env", "test");
  app.use(mount);
  app.use((request, response, next) => {
    act(request.url, bagOf(request), routes).then((body) => response.send(body), next);
  });
  return listen(app);
}

const cart = sessionMap("cart", {
  "~standard": { version: 1, vendor: "compare", validate: (value) => ({ value: Number(value) }) },
});

function ours(config: SessionConfig): Subject["start"] {
  return (settings) => {
    const { name, lifetime } = settings;
    const mount = sessionMiddleware({ ...config, name, sessionExpires: lifetime, secure: false });
    return onExpress(settings, mount, ({ session }) => ({
      get: (key) => session.get(key),
      set: (key, value) => session.set(key, value),
      end: () => session.destroy(),
      exact: {
        raise: (key) => session.increment(key),
        add: (id) => void cart.of(session).set(id, 1),
        items: () => cart.of(session).size,
        take: (key) => session.take(key),
      },
    }));
  };
}

async function onFastify(
  { routes }: Settings,
  plugins: readonly (readonly [string, object])[],
  end: (bag: FastifyBag) => void | Promise<void>,
) {
  const app = Fastify();
  for (const [name, options] of plugins) {
    const { default: plugin } = await peer<{ default: FastifyPluginAsync }>(name);
    await app.register(plugin, options);
  }
  app.get("/*", async (request, reply: FastifyReply) => {
    const { session } = request as unknown as { session: FastifyBag };
    const bag = { get: (key: string) => session.get(key), set: session.set.bind(session) };
    return reply.send(await act(request.url, { ...bag, end: () => end(session) }, routes));
  });
  await app.ready();
  return listen((request, response) => app.routing(request, response));
}

interface FastifyBag {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  delete(): void;
  destroy(): Promise<void>;
}

type MakeHandler = (options: object) => RequestHandler;

interface Iron {
  readonly getIronSession: (
    jar: object,
    options: object,
  ) => Promise<Record<string, string> & { save(): Promise<void>; destroy(): void }>;
  readonly nodeCookies: (request: object, response: object) => object;
}

interface H3Sessions {
  readonly useSession: (
    event: H3Event,
    options: object,
  ) => Promise<{
    readonly data: Record<string, string>;
    update(data: object): Promise<unknown>;
    clear(): Promise<unknown>;
  }>;
}

/** Ours first, then those on a server, then those in a cookie. */
export const subjects: readonly Subject[] = [
  {
    name: "kocha-session, memory store",
    kind: "on a server",
    start: ours({ store: new SessionMemoryStore(), signingKey: freshKey() }),
  },
  {
    name: "express-session",
    package: "express-session",
    kind: "on a server",
    start: async (settings) => {
      const { default: session } = await peer<{ default: MakeHandler }>("express-session");
      const { name, lifetime } = settings;
      const mount = session({
        name,
        secret: password,
        resave: false,
        saveUninitialized: false,
        cookie: { maxAge: lifetime * SECOND },
      });
      return onExpress(settings, mount, (request) => {
        const holder = request as unknown as { session: { destroy(done: () => void): void } };
        return propertyBag(holder, () => new Promise((done) => holder.session.destroy(done)));
      });
    },
  },
  {
    name: "@fastify/session",
    package: "@fastify/session",
    kind: "on a server",
    start: ({ name, lifetime, routes }) =>
      onFastify(
        { name, lifetime, routes },
        [
          ["@fastify/cookie", {}],
          [
            "@fastify/session",
            {
              secret: password,
              cookieName: name,
              cookie: { secure: false, maxAge: lifetime * SECOND },
              saveUninitialized: false,
            },
          ],
        ],
        (session) => session.destroy(),
      ),
  },
  {
    name: "koa-session, with a store",
    package: "koa-session",
    kind: "on a server",
    start: async ({ name, lifetime, routes }) => {
      type Create = (options: object, app: Koa) => Koa.Middleware;
      const { createSession } = await peer<{ createSession: Create }>("koa-session");
      const rows = new Map<string, string>();
      const store = {
        get: async (id: string) => JSON.parse(rows.get(id) ?? "null") as object | null,
        set: async (id: string, session: object) => void rows.set(id, JSON.stringify(session)),
        destroy: async (id: string) => void rows.delete(id),
      };
      const app = new Koa();
      app.keys = [password];
      app.use(createSession({ key: name, maxAge: lifetime * SECOND, store }, app));
      app.use(async (context) => {
        const holder = context as unknown as { session: Data };
        const bag = propertyBag(holder, () => void (holder.session = null));
        context.body = await act(context.url, bag, routes);
      });
      const callback = app.callback();
      return listen((request, response) => void callback(request, response));
    },
  },
  {
    name: "kocha-session, cookie store",
    kind: "in a cookie",
    start: ours({ store: new SessionCookieStore(ourKeys) }),
  },
  {
    name: "kocha-session, merging cookies",
    kind: "in a cookie",
    start: ours({ store: new SessionCookieStore({ ...ourKeys, merge: mergingCookies() }) }),
  },
  {
    name: "kocha-session, merging cookies and revocations",
    kind: "in a cookie",
    start: (settings) => {
      const store = new SessionCookieStore({ ...ourKeys, merge: mergingCookies() });
      return ours({ store, revocations: memoryRevocations() })(settings);
    },
  },
  {
    name: "cookie-session",
    package: "cookie-session",
    kind: "in a cookie",
    start: async (settings) => {
      const { default: session } = await peer<{ default: MakeHandler }>("cookie-session");
      const { name, lifetime } = settings;
      const mount = session({ name, keys: [password], maxAge: lifetime * SECOND });
      return onExpress(settings, mount, (request) => {
        const holder = request as unknown as { session: Data };
        return propertyBag(holder, () => void (holder.session = null));
      });
    },
  },
  {
    name: "iron-session",
    package: "iron-session",
    kind: "in a cookie",
    start: async ({ name, lifetime, routes }) => {
      const { getIronSession, nodeCookies } = await peer<Iron>("iron-session");
      const options = {
        cookieName: name,
        password,
        ttl: lifetime,
        cookieOptions: { secure: false },
      };
      const app = express();
      app.set("env", "test");
      app.use((request, response, next) => {
        const answer = async (): Promise<void> => {
          const session = await getIronSession(nodeCookies(request, response), options);
          let changed = false;
          const bag: Bag = {
            get: (key) => session[key],
            set: (key, value) => {
              session[key] = value;
              changed = true;
            },
            end: () => session.destroy(),
          };
          const body = await act(request.url, bag, routes);
          if (changed) await session.save();
          response.send(body);
        };
        answer().catch(next);
      });
      return listen(app);
    },
  },
  {
    name: "@fastify/secure-session",
    package: "@fastify/secure-session",
    kind: "in a cookie",
    start: ({ name, lifetime, routes }) =>
      onFastify(
        { name, lifetime, routes },
        [
          [
            "@fastify/secure-session",
            {
              key: keyBytes,
              cookieName: name,
              expiry: lifetime,
              cookie: { path: "/", secure: false, maxAge: lifetime },
            },
          ],
        ],
        (session) => session.delete(),
      ),
  },
  {
    name: "h3 useSession",
    package: "h3",
    kind: "in a cookie",
    start: async ({ name, lifetime, routes }) => {
      const { useSession } = await peer<H3Sessions>("h3");
      const options = { name, password, maxAge: lifetime, cookie: { secure: false } };
      const app = new H3({ silent: true });
      app.all("/**", async (event) => {
        const session = await useSession(event, options);
        const changes: Record<string, string> = {};
        const bag: Bag = {
          get: (key) => session.data[key],
          set: (key, value) => void (changes[key] = value),
          end: async () => void (await session.clear()),
        };
        const body = await act(event.url.pathname, bag, routes);
        if (Object.keys(changes).length > 0) await session.update(changes);
        return body;
      });
      return listen(createServer(toNodeHandler(app)));
    },
  },
];
