// client-sessions: AES-256-CBC and HMAC-SHA-256 over JSON, in plain JavaScript around node:crypto.
import type { RequestHandler } from "express";
import { onExpress } from "../http/hosts/express.ts";
import { onNode } from "../http/hosts/node.ts";
import { password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { Subject } from "../lib/subject.ts";

interface ClientSessions {
  (options: object): RequestHandler;
  readonly util: {
    readonly encode: (options: object, content: object, duration?: number) => string;
    readonly decode: (
      options: object,
      value: string,
    ) => { readonly content: Record<string, string> } | undefined;
  };
}

const load = async (): Promise<ClientSessions> =>
  (await peer<{ readonly default: ClientSessions }>("client-sessions")).default;

const bag = (request: object): Record<string, string> =>
  (request as { readonly session: Record<string, string> }).session;

const options = (): object => ({
  cookieName: "session",
  secret: password,
  duration: 90 * 86_400_000,
});

const actions = {
  login: (request: object) => void Object.assign(bag(request), loginData),
  read: (request: object) => bag(request)["name"],
  write: (request: object, _: unknown, csrf: string) => void Object.assign(bag(request), { csrf }),
};

/** client-sessions. */
export const subjects: readonly Subject[] = [
  {
    name: "client-sessions",
    kind: "peer",
    packages: ["client-sessions"],
    note: "encrypted; last released in 2016",
    seal: async (pairs) => {
      const { util } = await load();
      const opts = options();
      return {
        seal: () => util.encode(opts, pairs, 90 * 86_400_000),
        open: (value) => util.decode(opts, value)?.content["name"],
      };
    },
    http: {
      node: async () => {
        const mount = (await load())(options()) as unknown as Parameters<typeof onNode>[0]["mount"];
        return onNode({ ...(mount !== undefined && { mount }), ...actions });
      },
      express: async () => {
        const mount = (await load())(options());
        return onExpress({ mount: (app) => app.use(mount), ...actions });
      },
    },
  },
];
