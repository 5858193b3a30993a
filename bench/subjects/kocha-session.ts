// Ours: the embedded cookie store on every host, the format by itself, and the memory store.
import { ourKeys, type Pairs, loginData } from "../lib/data.ts";
import { ours } from "../lib/load.ts";
import type { Awaitable, BenchServer, HostName, Subject } from "../lib/subject.ts";
import type { Session, SessionConfig } from "../../src/index.ts";
import { createCookieKeyring } from "../../src/crypto/keyring.ts";
import { borrowPayload, decodePayload } from "../../src/crypto/payload.ts";
import { openToken, sealToken } from "../../src/crypto/token.ts";
import { onExpress } from "../http/hosts/express.ts";
import { onFastify } from "../http/hosts/fastify.ts";
import { onFetch } from "../http/hosts/fetch.ts";
import { onH3 } from "../http/hosts/h3.ts";
import { onHono } from "../http/hosts/hono.ts";
import { onKoa } from "../http/hosts/koa.ts";
import { onNode } from "../http/hosts/node.ts";
import { nextValue, page } from "../http/routes.ts";

const DAY = 86_400;

/** Sets all pairs, as a login does. */
function fill(session: Session, pairs: Pairs = loginData): void {
  for (const [key, value] of Object.entries(pairs)) session.set(key, value);
}

/** Our adapter on every host, over one store. */
function servers(
  configure: () => Awaitable<SessionConfig>,
): Record<HostName, () => Promise<BenchServer>> {
  return {
    node: async () => {
      const { withSession } = await ours("hosts/node");
      const config = await configure();
      return onNode({
        wrap: (route) => withSession(config, route),
        login: ({ session }) => fill(session),
        read: ({ session }) => session.get("name"),
        write: ({ session }, _, value) => session.set("csrf", value),
      });
    },
    express: async () => {
      const { sessionMiddleware } = await ours("hosts/express");
      const config = await configure();
      return onExpress({
        mount: (app) => app.use(sessionMiddleware(config)),
        login: ({ session }) => fill(session),
        read: ({ session }) => session.get("name"),
        write: ({ session }, _, value) => session.set("csrf", value),
      });
    },
    fastify: async () => {
      const { sessionPlugin } = await ours("hosts/fastify");
      const config = await configure();
      return onFastify({
        mount: async (app) => app.register(sessionPlugin, config),
        login: ({ session }) => fill(session),
        read: ({ session }) => session.get("name"),
        write: ({ session }, _, value) => session.set("csrf", value),
      });
    },
    koa: async () => {
      const { sessionMiddleware } = await ours("hosts/koa");
      const config = await configure();
      return onKoa({
        mount: (app) => app.use(sessionMiddleware(config)),
        login: ({ session }) => fill(session),
        read: ({ session }) => session.get("name"),
        write: ({ session }, value) => session.set("csrf", value),
      });
    },
    hono: async () => {
      const { sessionMiddleware } = await ours("hosts/hono");
      const config = await configure();
      return onHono({
        mount: (app) => app.use(sessionMiddleware(config)),
        login: (context) => fill(context.get("session")),
        read: (context) => context.get("session").get("name"),
        write: (context, value) => context.get("session").set("csrf", value),
      });
    },
    h3: async () => {
      const { sessionMiddleware, sessionOf } = await ours("hosts/h3");
      const config = await configure();
      return onH3({
        mount: (app) => app.use(sessionMiddleware(config)),
        login: (event) => fill(sessionOf(event)),
        read: (event) => sessionOf(event).get("name"),
        write: (event, value) => sessionOf(event).set("csrf", value),
      });
    },
    fetch: async () => {
      const { withSession } = await ours("hosts/fetch");
      const config = await configure();
      return onFetch({
        login: withSession(config, (_, session) => {
          fill(session);
          return new Response(page("alice"));
        }),
        read: withSession(config, (_, session) => new Response(page(session.get("name")))),
        write: withSession(config, (_, session) => {
          session.set("csrf", nextValue());
          return new Response(page("alice"));
        }),
        idle: withSession(config, () => new Response(page("alice"))),
      });
    },
  };
}

async function cookieConfig(): Promise<SessionConfig> {
  const { SessionCookieStore } = await ours("index");
  return {
    name: "session",
    store: new SessionCookieStore(ourKeys),
    sessionExpires: 90 * DAY,
    cookieExpires: 90 * DAY,
  };
}

async function memoryConfig(): Promise<SessionConfig> {
  const { SessionMemoryStore } = await ours("index");
  return {
    name: "session",
    store: new SessionMemoryStore(),
    signingKey: ourKeys.signingKey,
    sessionExpires: 90 * DAY,
    cookieExpires: 90 * DAY,
  };
}

/** Ours. */
export const subjects: readonly Subject[] = [
  {
    name: "kocha-session",
    kind: "ours",
    packages: ["kocha-session"],
    note: "SessionCookieStore, with session id and both times inside; sealed and opened without its memory of verified tokens",
    seal: async (pairs) => {
      const { SessionCookieStore } = await ours("index");
      const store = new SessionCookieStore({ ...ourKeys, rememberTokens: false });
      const set = new Map(Object.entries(pairs));
      const ttl = 90 * DAY * 1000;
      const name = "session";
      const id = "AAECAwQFBgcICQoLDA0ODw";
      return {
        seal: () => {
          const now = Date.now();
          const deadline = now + ttl;
          const change = { op: "create", id, set, del: [], ttl, deadline } as const;
          return store.write(undefined, change, { name, now })?.set[0]?.value ?? "";
        },
        open: (value) => {
          const found = store.open([{ name, value }], { name, now: Date.now() });
          return found && "data" in found ? found.data.get("name") : undefined;
        },
      };
    },
    http: servers(cookieConfig),
  },
  {
    name: "kocha-session, only the format",
    kind: "ours",
    packages: ["kocha-session"],
    note: "the token and the codec without the store's rules",
    seal: async (pairs) => {
      const ring = createCookieKeyring(ourKeys);
      const data = new Map(Object.entries(pairs));
      const created = Date.now() - (Date.now() % 1000);
      const idleExpires = created + 90 * DAY * 1000;
      const id = "AAECAwQFBgcICQoLDA0ODw";
      const times = { created, issued: 0, idleExpires, deadline: idleExpires };
      const payload = { id, rev: 1, ...times, data };
      return {
        seal: () => sealToken(ring, "session", "session", borrowPayload(payload)),
        open: (value) => {
          const token = openToken(ring, "session", "session", value);
          return typeof token === "string"
            ? undefined
            : decodePayload(token.payload)?.data.get("name");
        },
      };
    },
  },
  {
    name: "kocha-session, memory store",
    kind: "ours",
    packages: ["kocha-session"],
    note: "SessionMemoryStore",
    http: servers(memoryConfig),
  },
];
