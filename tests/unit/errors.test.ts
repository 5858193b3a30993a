// Every error code, by the shortest way to it; and no error shows a key or a value, in its message,
// its stack, its JSON, or what util.inspect makes of it.
import { inspect } from "node:util";
import {
  ConfigError,
  ConflictError,
  isSessionError,
  LimitError,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
  sessionKey,
  StoreError,
  UsageError,
  type Session,
  type SessionErrorCode,
  type SessionStore,
  type StandardSchema,
} from "kocha-session";
import { deviceBinding } from "kocha-session/device";
import { withSession } from "kocha-session/fetch";
import { sessionOf } from "kocha-session/h3";
import { H3Event } from "h3";
import { expect, test } from "vitest";
import { MAX_CALLS_IN_FLIGHT } from "../../src/store/calls-in-flight.ts";
import { mustBeReplicated } from "../../src/stores/redis/script.ts";
import { freshKey, freshKeys } from "../support/keys.ts";

const VALUE = "a value that nobody may see";
const KEY = Buffer.alloc(31, VALUE).toString("base64");
const signingKey = freshKey();

const build = (more: object): SessionMiddleware =>
  new SessionMiddleware({ store: new SessionMemoryStore(), signingKey, ...more });

async function openWith(store: SessionStore, more: object = {}): Promise<Session> {
  return build({ store, ...more }).open(undefined);
}

const memory = (more: object = {}): Promise<Session> => openWith(new SessionMemoryStore(), more);

/** A session that a store of these answers has to save. */
async function saveBy(save: SessionStore["save"], more: object = {}): Promise<unknown> {
  const engine = build({ store: { load: () => undefined, save }, ...more });
  const session = await engine.open(undefined);
  session.set("name", VALUE);
  return engine.commit(session);
}

async function destroyed(): Promise<Session> {
  const session = await memory();
  session.set("name", VALUE);
  await session.destroy();
  return session;
}

function schemaOf(validate: (value: unknown) => unknown): StandardSchema<string> {
  const standard = { version: 1, vendor: "test", validate };
  return { "~standard": standard } as unknown as StandardSchema<string>;
}

/** A request that holds the session of another one, which has done `step` meanwhile. */
async function raceWith(step: (other: Session) => unknown, engine = build({})): Promise<Session> {
  const first = await engine.open(undefined);
  first.set("name", VALUE);
  const [cookie = ""] = (await engine.commit(first)).setCookie;
  const [late, other] = await Promise.all([engine.open(cookie), engine.open(cookie)]);
  await step(other);
  return late;
}

const asyncSchema = sessionKey(
  "name",
  schemaOf((value) => Promise.resolve({ value })),
);
const narrowSchema = sessionKey(
  "name",
  schemaOf(() => ({ issues: [{ message: VALUE }] })),
);

/** What leads to each code. */
const ways: Readonly<Record<SessionErrorCode, () => unknown>> = {
  ERR_SESSION_CONFIG_FIELD: () => build({ path: 5, name: VALUE }),
  ERR_SESSION_CONFIG_KEY: () => build({ signingKey: KEY }),
  ERR_SESSION_CONFIG_STORE: () => build({ store: { load: VALUE } }),
  ERR_SESSION_CONFIG_COOKIE: () => build({ name: `__Host-${VALUE}`, path: `/${VALUE}` }),
  ERR_SESSION_USAGE_TYPE: async () => (await memory()).set("name", [VALUE] as never),
  ERR_SESSION_USAGE_MALFORMED: async () => (await memory()).set("name", `${VALUE}\uD800`),
  ERR_SESSION_USAGE_DESTROYED: async () => (await destroyed()).set("name", VALUE),
  ERR_SESSION_USAGE_HEADERS_SENT: async () => {
    const engine = build({});
    const session = await engine.open(undefined);
    await engine.commit(session);
    session.set("name", VALUE);
  },
  ERR_SESSION_USAGE_READ_ONLY: async () => {
    const session = await build({}).openReadOnly(undefined);
    session.set("name", VALUE);
  },
  ERR_SESSION_USAGE_ASYNC_SCHEMA: async () => (await memory()).write(asyncSchema, VALUE),
  ERR_SESSION_USAGE_SCHEMA: async () => (await memory()).write(narrowSchema, VALUE),
  ERR_SESSION_USAGE_NO_SESSION: () => sessionOf(new H3Event(new Request("http://localhost/"))),
  ERR_SESSION_USAGE_FOREIGN: async () => Object.assign(await memory(), { name: VALUE }),
  ERR_SESSION_USAGE_LIFETIME: async () =>
    Object.assign(await memory({ sessionExpires: 60 }), { sessionExpires: 61 }),
  ERR_SESSION_USAGE_RESERVED: async () => (await memory()).set("_flash.name", VALUE),
  ERR_SESSION_USAGE_RESPONSE: () => {
    const store = new SessionCookieStore(freshKeys());
    const serve = withSession({ store }, (_, session) => {
      session.set("name", VALUE);
      return Response.error();
    });
    return serve(new Request("http://localhost/"));
  },
  ERR_SESSION_USAGE_UPDATE: async () => (await memory()).update("name", (() => undefined) as never),
  ERR_SESSION_USAGE_STORE: async () => {
    const engine = new SessionMiddleware({ store: new SessionCookieStore(freshKeys()) });
    return (await engine.open(undefined)).take("name");
  },
  ERR_SESSION_LIMIT_KEY: async () => (await memory()).set("k".repeat(257), VALUE),
  ERR_SESSION_LIMIT_KEYS: async () => {
    const session = await memory({ maxKeys: 1 });
    session.set("one", VALUE);
    session.set("two", VALUE);
  },
  ERR_SESSION_LIMIT_SESSION: async () => (await memory()).set("name", VALUE.repeat(3000)),
  ERR_SESSION_LIMIT_COOKIE: async () => {
    const engine = new SessionMiddleware({ store: new SessionCookieStore(freshKeys()) });
    const session = await engine.open(undefined);
    session.set("name", VALUE.repeat(300));
    await engine.commit(session);
  },
  ERR_SESSION_STORE_FAILED: () =>
    saveBy(() => {
      throw new Error("out of order");
    }),
  ERR_SESSION_STORE_TIMEOUT: () =>
    saveBy(() => new Promise(() => undefined), { storeTimeout: 0.001 }),
  ERR_SESSION_STORE_BUSY: async () => {
    const store: SessionStore = { load: () => undefined, save: () => new Promise(() => undefined) };
    const engine = build({ store, storeTimeout: 0.001 });
    const save = async (): Promise<unknown> => {
      const session = await engine.open(undefined);
      session.set("name", VALUE);
      return engine.commit(session);
    };
    await Promise.allSettled(Array.from({ length: MAX_CALLS_IN_FLIGHT }, save));
    return save();
  },
  ERR_SESSION_STORE_UNREPLICATED: () =>
    mustBeReplicated(0, { replicas: 1, timeoutMs: 300 }, "save"),
  ERR_SESSION_CONFLICT_STALE: async () =>
    (await raceWith((other) => other.destroy())).update("name", () => `${VALUE}!`),
  ERR_SESSION_CONFLICT_GRACE: async () => {
    const engine = build({});
    const first = await engine.open(undefined);
    first.set("name", VALUE);
    const [cookie = ""] = (await engine.commit(first)).setCookie;
    await (await engine.open(cookie)).regenerate();
    return (await engine.open(cookie)).update("name", () => VALUE);
  },
  ERR_SESSION_CONFLICT_DEVICE: async () => {
    const store = new SessionMemoryStore();
    const engine = build({ store, deviceBinding: deviceBinding() });
    const session = await engine.open(undefined);
    session.set("name", VALUE);
    const [cookie = ""] = (await engine.commit(session)).setCookie;
    const set = new Map([["_device.key", VALUE]]);
    store.save(session.id, { op: "update", rev: 1, set, del: [], ttl: 0, deadline: Infinity });
    return (await engine.open(cookie)).update("name", () => VALUE);
  },
  ERR_SESSION_CONFLICT_CONTENDED: async () => {
    const store = new SessionMemoryStore();
    // Somebody else is faster each time.
    const engine = build({
      store: {
        capabilities: store.capabilities,
        load: (key: string) => store.load(key),
        save: (key, change) => (change.expect === undefined ? store.save(key, change) : undefined),
      } satisfies SessionStore,
    });
    return (await raceWith(() => undefined, engine)).update("name", () => `${VALUE}!`);
  },
  ERR_SESSION_STORE_ANSWER: () => saveBy(() => ({ key: VALUE }) as never),
};

const classes = {
  CONFIG: ConfigError,
  USAGE: UsageError,
  LIMIT: LimitError,
  STORE: StoreError,
  CONFLICT: ConflictError,
};

test.each(Object.entries(ways))("%s", async (code, way) => {
  const error: unknown = await Promise.resolve()
    .then(way)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toMatchObject({ code });
  expect(isSessionError(error)).toBe(true);
  const kind = code.split("_")[2] as keyof typeof classes;
  expect(error).toBeInstanceOf(classes[kind]);
  expect((error as Error).name).toBe(classes[kind].name);
  const { message, stack } = error as Error;
  const page = `(see kocha-session/docs/reference/errors.md#${code.toLowerCase()})`;
  expect(message.split("(see kocha-session/")).toHaveLength(2);
  expect(message.endsWith(page)).toBe(true);
  for (const text of [message, stack, JSON.stringify(error), inspect(error)]) {
    expect(text).not.toContain(VALUE);
    expect(text).not.toContain(KEY);
  }
});
