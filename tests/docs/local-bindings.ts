// In the process of a snippet: bindings of our Durable Object classes, as a worker has them in its env, so that the
// documents' workers run here too. Each object is in memory, and no alarm rings. It is copied to where the snippets are.
import { type DurableNamespace, SessionObject, SubjectObject } from "kocha-session/durable-object";

type DurableClass = typeof SessionObject | typeof SubjectObject;

/** The bindings that the documents name. */
export const bindings: Readonly<Record<string, object>> = {
  SESSIONS: namespaceOf(SessionObject),
  SUBJECTS: namespaceOf(SubjectObject),
  // D1: no visitor here has a session there, so that it is never asked.
  DB: { prepare: unasked, batch: unasked },
};

function unasked(): never {
  throw new Error("there is no D1 here");
}

function namespaceOf(Class: DurableClass): DurableNamespace {
  const objects = new Map<unknown, InstanceType<DurableClass>>();
  return {
    idFromName: (name) => name,
    get: (id) => {
      const object = objects.get(id) ?? new Class({ storage: storageOf() });
      objects.set(id, object);
      return { fetch: (url, init) => object.fetch(new Request(url, init)) };
    },
  };
}

function storageOf(): ConstructorParameters<DurableClass>[0]["storage"] {
  const entries = new Map<string, unknown>();
  return {
    kv: {
      get: (key) => entries.get(key),
      put: (key, value) => void entries.set(key, value),
      delete: (key) => entries.delete(key),
      list: () => entries,
    },
    sql: { exec: () => ({ toArray: () => [] }) },
    getAlarm: async () => null,
    setAlarm: async () => undefined,
    deleteAlarm: async () => undefined,
    deleteAll: async () => entries.clear(),
  };
}
