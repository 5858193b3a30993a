// iron-session: Iron seals (AES-256-CBC and HMAC-SHA-256 under keys derived for each) on every host
// that has Node's or the Fetch API's requests.
import type { IncomingMessage, ServerResponse } from "node:http";
import { onExpress } from "../http/hosts/express.ts";
import { onFetch } from "../http/hosts/fetch.ts";
import { onHono } from "../http/hosts/hono.ts";
import { onNode } from "../http/hosts/node.ts";
import { nextValue, page } from "../http/routes.ts";
import { password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { Subject } from "../lib/subject.ts";

type Session = Record<string, string> & { readonly save: () => Promise<void> };
interface Jar {
  readonly read: (name: string) => string | undefined;
}
interface Iron {
  readonly getIronSession: (jar: Jar, options: object) => Promise<Session>;
  readonly nodeCookies: (request: IncomingMessage, response: ServerResponse) => Jar;
  readonly webCookies: (request: Request, headers: Headers) => Jar;
  readonly sealData: (data: object, options: object) => Promise<string>;
  readonly unsealData: (seal: string, options: object) => Promise<Record<string, string>>;
}

const load = (): Promise<Iron> => peer<Iron>("iron-session");
const options = { cookieName: "session", password, cookieOptions: { secure: true } };

async function save(session: Session, pairs: object): Promise<void> {
  Object.assign(session, pairs);
  await session.save();
}

/** What node:http and Express do alike. */
async function onRequests() {
  const { getIronSession, nodeCookies } = await load();
  const open = (request: IncomingMessage, response: ServerResponse): Promise<Session> =>
    getIronSession(nodeCookies(request, response), options);
  return {
    login: async (request: IncomingMessage, response: ServerResponse) =>
      save(await open(request, response), loginData),
    read: async (request: IncomingMessage, response: ServerResponse) =>
      (await open(request, response))["name"],
    write: async (request: IncomingMessage, response: ServerResponse, csrf: string) =>
      save(await open(request, response), { csrf }),
  };
}

/** iron-session. */
export const subjects: readonly Subject[] = [
  {
    name: "iron-session",
    kind: "peer",
    packages: ["iron-session"],
    note: "encrypted",
    seal: async (pairs) => {
      const { sealData, unsealData } = await load();
      return {
        seal: () => sealData(pairs, { password }),
        open: async (value) => (await unsealData(value, { password }))["name"],
      };
    },
    http: {
      node: async () => onNode(await onRequests()),
      express: async () => onExpress(await onRequests()),
      hono: async () => {
        const { getIronSession, webCookies } = await load();
        const change = async (
          context: Parameters<Parameters<typeof onHono>[0]["login"]>[0],
          pairs: object,
        ): Promise<void> => {
          const headers = new Headers();
          await save(await getIronSession(webCookies(context.req.raw, headers), options), pairs);
          for (const cookie of headers.getSetCookie()) context.header("Set-Cookie", cookie);
        };
        return onHono({
          login: (context) => change(context, loginData),
          read: async (context) => {
            const jar = webCookies(context.req.raw, new Headers());
            return (await getIronSession(jar, options))["name"];
          },
          write: (context, csrf) => change(context, { csrf }),
        });
      },
      fetch: async () => {
        const { getIronSession, webCookies } = await load();
        const change = async (request: Request, pairs: object): Promise<Response> => {
          const headers = new Headers();
          await save(await getIronSession(webCookies(request, headers), options), pairs);
          return new Response(page("alice"), { headers });
        };
        return onFetch({
          login: (request) => change(request, loginData),
          read: async (request) => {
            const session = await getIronSession(webCookies(request, new Headers()), options);
            return new Response(page(session["name"]));
          },
          write: (request) => change(request, { csrf: nextValue() }),
          idle: () => new Response(page("alice")),
        });
      },
    },
  },
];
