// Hono's two: hono-sessions (Iron seals by WebCrypto) and @hono/session (JWE by jose).
import type { Context, MiddlewareHandler } from "hono";
import { onHono } from "../http/hosts/hono.ts";
import { keyBytes, password, loginData } from "../lib/data.ts";
import { peer } from "../lib/load.ts";
import type { BenchServer, RowScheme, Subject } from "../lib/subject.ts";

interface HonoSessions {
  readonly sessionMiddleware: (options: object) => MiddlewareHandler;
  readonly CookieStore: new () => object;
  readonly MemoryStore: new () => {
    createSession(id: string, row: HonoRow): void;
    getSessionById(id: string): HonoRow;
    persistSessionData(id: string, row: HonoRow): void;
  };
  readonly encrypt: (key: string, text: string) => Promise<string>;
  readonly decrypt: (key: string, value: string) => Promise<string>;
}
interface Bag {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}
interface JweSession {
  get(): Promise<Record<string, string> | null>;
  update(data: object | ((before: object | null) => object)): Promise<void>;
}
interface JweCookies {
  readonly createEncryptionKey: (secret: string | Uint8Array) => Promise<Uint8Array>;
  readonly jweEncrypt: (
    payload: object,
    key: Uint8Array,
    duration?: object,
  ) => Promise<{ readonly jwe: string }>;
  readonly jweDecrypt: (
    jwe: string,
    key: Uint8Array,
    options: object,
  ) => Promise<{ readonly payload: Record<string, string> }>;
}

const sessions = (): Promise<HonoSessions> => peer<HonoSessions>("hono-sessions");
const bag = (context: Context): Bag => context.get("session");
const jwe = (context: Context): JweSession => context.get("session") as unknown as JweSession;
const EXPIRES = 90 * 86_400;

async function honoSessions(store: "CookieStore" | "MemoryStore"): Promise<BenchServer> {
  const module = await sessions();
  const options = {
    store: new module[store](),
    encryptionKey: password,
    expireAfterSeconds: EXPIRES,
    cookieOptions: { path: "/", httpOnly: true, sameSite: "Lax" },
  };
  return onHono({
    mount: (app) => app.use(module.sessionMiddleware(options)),
    login: (context) => {
      for (const [key, value] of Object.entries(loginData)) bag(context).set(key, value);
    },
    read: (context) => bag(context).get("name"),
    write: (context, csrf) => bag(context).set("csrf", csrf),
  });
}

/** A session as its stores keep it. */
interface HonoRow {
  readonly _data: Record<string, { readonly value: string; readonly flash: boolean }>;
}

async function honoRows(): Promise<RowScheme> {
  const { MemoryStore } = await sessions();
  const store = new MemoryStore();
  const entry = (value: string): { value: string; flash: boolean } => ({ value, flash: false });
  const row = (id: string, data: HonoRow["_data"]): HonoRow => {
    const now = Date.now();
    const times = {
      _expire: new Date(now + EXPIRES * 1000).toISOString(),
      _accessed: new Date(now).toISOString(),
    };
    return { _data: data, ...times, _delete: false, _id: id } as HonoRow;
  };
  return {
    create: (id, pairs) => {
      const data = Object.entries(pairs).map(([key, value]) => [key, entry(value)]);
      store.createSession(id, row(id, Object.fromEntries(data) as HonoRow["_data"]));
    },
    get: (id) => {
      const { _data: data } = store.getSessionById(id);
      return data["name"]?.value;
    },
    change: (id, csrf) => {
      const { _data: data } = store.getSessionById(id);
      store.persistSessionData(id, row(id, { ...data, csrf: entry(csrf) }));
    },
  };
}

/** Hono's. */
export const subjects: readonly Subject[] = [
  {
    name: "hono-sessions",
    kind: "peer",
    packages: ["hono-sessions"],
    note: "encrypted",
    seal: async (pairs) => {
      const { decrypt, encrypt } = await sessions();
      // What its CookieStore seals: the data with its bookkeeping.
      const data = Object.fromEntries(
        Object.entries(pairs).map(([key, value]) => [key, { value, flash: false }]),
      );
      return {
        seal: () => {
          const times = { _expire: new Date(Date.now() + EXPIRES * 1000).toISOString() };
          const rest = { _delete: false, _accessed: new Date().toISOString() };
          return encrypt(password, JSON.stringify({ _data: data, ...times, ...rest }));
        },
        open: async (value) => {
          const { _data: opened } = JSON.parse(await decrypt(password, value)) as {
            readonly _data: Record<string, { readonly value: string }>;
          };
          return opened["name"]?.value;
        },
      };
    },
    http: { hono: () => honoSessions("CookieStore") },
  },
  {
    name: "hono-sessions, MemoryStore",
    kind: "peer",
    packages: ["hono-sessions"],
    note: "an encrypted id in the cookie, the data in memory",
    http: { hono: () => honoSessions("MemoryStore") },
    memory: honoRows,
  },
  {
    name: "@hono/session",
    kind: "peer",
    packages: ["@hono/session", "jose"],
    note: "encrypted, JWE",
    seal: async (pairs) => {
      const module = await peer<JweCookies>("@hono/session/cookies");
      const key = await module.createEncryptionKey(password);
      const duration = { absolute: EXPIRES };
      const sid = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
      return {
        seal: async () => (await module.jweEncrypt({ sid, ...pairs }, key, duration)).jwe,
        open: async (value) =>
          (await module.jweDecrypt(value, key, { requiredClaims: ["sid"] })).payload["name"],
      };
    },
    http: {
      hono: async () => {
        type Make = (options: object) => MiddlewareHandler;
        const { useSession } = await peer<{ readonly useSession: Make }>("@hono/session");
        const secret = new Uint8Array(keyBytes("@hono/session"));
        return onHono({
          mount: (app) => app.use(useSession({ secret, duration: { absolute: EXPIRES } })),
          login: (context) => jwe(context).update({ ...loginData }),
          read: async (context) => (await jwe(context).get())?.["name"],
          write: (context, csrf) => jwe(context).update((before) => ({ ...before, csrf })),
        });
      },
    },
  },
];
