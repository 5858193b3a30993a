// Durable Objects in this process, for tests of what speaks to them and of the classes themselves: each object is
// made at its first call, and its storage is a Map, a SQLite database in memory and an alarm that a test rings.
import { serialize } from "node:v8";
import Database from "libsql";
import type {
  DurableNamespace,
  DurableState,
  DurableStorage,
} from "../../src/stores/durable/platform.ts";

const TOO_BIG = "string or blob too big: SQLITE_TOOBIG";

/** A class of Durable Objects. */
type DurableClass = new (state: DurableState) => {
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
};

/** A namespace in this process. */
export interface LocalNamespace extends DurableNamespace {
  readonly objects: ReadonlyMap<string, LocalObject>;
  /** Called before each call reaches its object, with the call's body. */
  before: (body: string) => Promise<void> | void;
}

/** The objects of a class. */
export function localNamespace(Class: DurableClass): LocalNamespace {
  const objects = new Map<string, LocalObject>();
  const objectOf = (name: string): LocalObject => {
    const running = objects.get(name) ?? new LocalObject(Class);
    objects.set(name, running);
    return running;
  };
  const namespace: LocalNamespace = {
    objects,
    before: () => undefined,
    idFromName: (name) => name,
    get: (name) => ({
      fetch: async (url, init) => {
        await namespace.before(init.body);
        return objectOf(String(name)).object.fetch(new Request(url, init));
      },
    }),
  };
  return namespace;
}

/** One object, as a test looks at it. */
class LocalObject {
  readonly entries = new Map<string, unknown>();
  /** Unix milliseconds; null: none is set. */
  alarm: number | null = null;
  readonly object: InstanceType<DurableClass>;

  constructor(Class: DurableClass) {
    this.object = new Class({ storage: storageOf(this) });
  }

  /** Rings the alarm, as the platform does at its time. */
  async ring(): Promise<void> {
    this.alarm = null;
    await this.object.alarm();
  }
}

function storageOf(running: LocalObject): DurableStorage {
  const { entries } = running;
  // A database that most objects don't need.
  let database: Database.Database | undefined;
  return {
    kv: {
      get: (key) => entries.get(key),
      put: (key, value) => {
        // As workerd: measured by its serialization, a little over 2 MiB.
        if (serialize(value).length > 2_097_300) throw new Error(TOO_BIG);
        entries.set(key, structuredClone(value));
      },
      delete: (key) => entries.delete(key),
      list: ({ limit = Infinity } = {}) => [...entries].slice(0, limit),
    },
    sql: {
      exec: (query, ...bindings) => {
        if (query === "SELECT 1") return { toArray: () => [] };
        database ??= new Database(":memory:");
        if (bindings.length === 0 && query.startsWith("CREATE")) {
          database.exec(query);
          return { toArray: () => [] };
        }
        const statement = database.prepare(query);
        if (statement.reader) {
          const rows = statement.all(...bindings) as Record<string, unknown>[];
          return { toArray: () => rows };
        }
        statement.run(...bindings);
        return { toArray: () => [] };
      },
    },
    getAlarm: async () => running.alarm,
    setAlarm: async (time) => void (running.alarm = time),
    deleteAlarm: async () => void (running.alarm = null),
    deleteAll: async () => entries.clear(),
  };
}
