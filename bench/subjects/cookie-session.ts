// cookie-session: JSON in base64 with an HMAC in a cookie of its own; everybody can read it.
import type { RequestHandler } from "express";
import { onExpress } from "../http/hosts/express.ts";
import { onNode } from "../http/hosts/node.ts";
import { password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { Subject } from "../lib/subject.ts";

interface Keygrip {
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
}
interface KeygripModule {
  readonly default: (keys: readonly string[]) => Keygrip;
}

const bag = (request: object): Record<string, string> =>
  (request as { readonly session: Record<string, string> }).session;

async function middleware(): Promise<RequestHandler> {
  const session = await peer<{ readonly default: (options: object) => RequestHandler }>(
    "cookie-session",
  );
  return session.default({ name: "session", keys: [password], secure: false });
}

const actions = {
  login: (request: object) => void Object.assign(bag(request), loginData),
  read: (request: object) => bag(request)["name"],
  write: (request: object, _: unknown, csrf: string) => void Object.assign(bag(request), { csrf }),
};

/** cookie-session. */
export const subjects: readonly Subject[] = [
  {
    name: "cookie-session",
    kind: "peer",
    packages: ["cookie-session"],
    note: "signed, not encrypted",
    // As cookie-session and its dependency cookies do it: JSON in base64, and Keygrip over "name=value".
    seal: async (pairs) => {
      const keygrip = (await peer<KeygripModule>("keygrip")).default([password]);
      return {
        seal: () => {
          const value = Buffer.from(JSON.stringify(pairs)).toString("base64");
          return `${value};${keygrip.sign(`session=${value}`)}`;
        },
        open: (both) => {
          const [value = "", signature = ""] = both.split(";");
          if (!keygrip.verify(`session=${value}`, signature)) return undefined;
          const opened = JSON.parse(Buffer.from(value, "base64").toString("utf8")) as typeof pairs;
          return opened["name"];
        },
      };
    },
    http: {
      node: async () => {
        const mount = (await middleware()) as unknown as Parameters<typeof onNode>[0]["mount"];
        return onNode({ ...(mount !== undefined && { mount }), ...actions });
      },
      express: async () => {
        const mount = await middleware();
        return onExpress({ mount: (app) => app.use(mount), ...actions });
      },
    },
  },
];
