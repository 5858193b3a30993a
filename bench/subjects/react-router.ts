// React Router's cookie session storage: base64 of JSON with an HMAC by WebCrypto.
import { onFetch } from "../http/hosts/fetch.ts";
import { nextValue, page } from "../http/routes.ts";
import { password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { Subject } from "../lib/subject.ts";

interface Bag {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}
interface Cookie {
  serialize(value: object): Promise<string>;
  parse(header: string): Promise<Record<string, string> | null>;
}
interface ReactRouter {
  readonly createCookie: (name: string, options: object) => Cookie;
  readonly createCookieSessionStorage: (options: object) => {
    getSession(header: string | null): Promise<Bag>;
    commitSession(session: Bag): Promise<string>;
  };
}

const load = (): Promise<ReactRouter> => peer<ReactRouter>("react-router");
const cookie = { secrets: [password], httpOnly: true, secure: true, sameSite: "lax" };

/** React Router's. */
export const subjects: readonly Subject[] = [
  {
    name: "react-router",
    kind: "peer",
    packages: ["react-router"],
    note: "signed, not encrypted",
    seal: async (pairs) => {
      const { createCookie } = await load();
      const sealed = createCookie("session", { ...cookie, maxAge: 90 * 86_400 });
      return {
        seal: async () => {
          const header = await sealed.serialize(pairs);
          return header.slice("session=".length, header.indexOf(";"));
        },
        open: async (value) => (await sealed.parse(`session=${value}`))?.["name"],
      };
    },
    http: {
      fetch: async () => {
        const { createCookieSessionStorage } = await load();
        const storage = createCookieSessionStorage({ cookie: { name: "session", ...cookie } });
        const save = async (request: Request, pairs: Record<string, string>): Promise<Response> => {
          const session = await storage.getSession(request.headers.get("cookie"));
          for (const [key, value] of Object.entries(pairs)) session.set(key, value);
          const headers = { "Set-Cookie": await storage.commitSession(session) };
          return new Response(page("alice"), { headers });
        };
        return onFetch({
          login: (request) => save(request, loginData),
          read: async (request) => {
            const session = await storage.getSession(request.headers.get("cookie"));
            return new Response(page(session.get("name")));
          },
          write: (request) => save(request, { csrf: nextValue() }),
          idle: () => new Response(page("alice")),
        });
      },
    },
  },
];
