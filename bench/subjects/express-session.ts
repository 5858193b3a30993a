// express-session over its own MemoryStore and over memorystore: an id in a signed cookie.
import type { RequestHandler } from "express";
import { onExpress } from "../http/hosts/express.ts";
import { onNode } from "../http/hosts/node.ts";
import { password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { Subject } from "../lib/subject.ts";

interface ExpressSession {
  (options: object): RequestHandler;
  readonly MemoryStore: new () => object;
}

async function load(): Promise<ExpressSession> {
  return (await peer<{ readonly default: ExpressSession }>("express-session")).default;
}

async function memorystore(): Promise<new (options: object) => object> {
  type Make = (session: ExpressSession) => new (options: object) => object;
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
const { id, ...others } = loginData;
const pairs = { ...others, ID: id };

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

/** express-session. */
export const subjects: readonly Subject[] = [
  {
    name: "express-session, MemoryStore",
    kind: "peer",
    packages: ["express-session"],
    note: "a signed id in the cookie, the data in memory",
    http: servers(async () => new (await load()).MemoryStore()),
  },
  {
    name: "express-session, memorystore",
    kind: "peer",
    packages: ["express-session", "memorystore"],
    note: "a signed id in the cookie, the data in memory",
    http: servers(async () => new (await memorystore())({ checkPeriod: 86_400_000 })),
  },
];
