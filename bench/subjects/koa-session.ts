// koa-session: JSON in base64 with a signature, or an id for a store of the application's own.
import type Koa from "koa";
import { onKoa } from "../http/hosts/koa.ts";
import { password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { BenchServer, Subject } from "../lib/subject.ts";

interface KoaSession {
  readonly createSession: (options: object, app: Koa) => Koa.Middleware;
}
interface KeygripModule {
  readonly default: (keys: readonly string[]) => {
    sign(text: string): string;
    verify(text: string, signature: string): boolean;
  };
}

const bag = (context: Koa.Context): Record<string, string> =>
  (context as unknown as { readonly session: Record<string, string> }).session;

async function server(options: object): Promise<BenchServer> {
  const { createSession } = await peer<KoaSession>("koa-session");
  return onKoa({
    mount: (app) => {
      app.keys = [password];
      app.use(createSession({ key: "session", secure: false, ...options }, app));
    },
    login: (context) => void Object.assign(bag(context), loginData),
    read: (context) => bag(context)["name"],
    write: (context, csrf) => void Object.assign(bag(context), { csrf }),
  });
}

/** The shortest store there can be: the same object each time. */
function mapStore(): object {
  const sessions = new Map<string, object>();
  return {
    get: async (id: string) => sessions.get(id),
    set: async (id: string, session: object) => void sessions.set(id, session),
    destroy: async (id: string) => void sessions.delete(id),
  };
}

const DAY = 86_400_000;

/** koa-session. */
export const subjects: readonly Subject[] = [
  {
    name: "koa-session",
    kind: "peer",
    packages: ["koa-session"],
    note: "signed, not encrypted",
    // As koa-session and its dependency cookies do it: the times go into the JSON, and Keygrip signs.
    seal: async (pairs) => {
      const { default: makeKeygrip } = await peer<KeygripModule>("keygrip");
      const keygrip = makeKeygrip([password]);
      return {
        seal: () => {
          const json = JSON.stringify({ ...pairs, _expire: Date.now() + DAY, _maxAge: DAY });
          const value = Buffer.from(json).toString("base64");
          return `${value};${keygrip.sign(`session=${value}`)}`;
        },
        open: (both) => {
          const [value = "", signature = ""] = both.split(";");
          if (!keygrip.verify(`session=${value}`, signature)) return undefined;
          const json = Buffer.from(value, "base64").toString("utf8");
          const { _expire: expires, name } = JSON.parse(json) as {
            readonly name: string;
            readonly _expire: number;
          };
          return expires < Date.now() ? undefined : name;
        },
      };
    },
    http: { koa: () => server({}) },
  },
  {
    name: "koa-session, Map store",
    kind: "peer",
    packages: ["koa-session"],
    note: "a signed id in the cookie, the data in memory",
    http: { koa: () => server({ store: mapStore() }) },
  },
];
