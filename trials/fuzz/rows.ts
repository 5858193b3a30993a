// Stores' content that somebody else wrote: rows of every shape through the engine, and the texts and hashes
// of our stores through their own decoders first. A row gives a Map of strings or nothing; neither a load
// nor a commit may throw for it.
import {
  SessionMemoryStore,
  SessionMiddleware,
  type SessionStore,
  type StoredSession,
} from "kocha-session";
import { encodeMeta } from "../../src/engine/ticketed/meta.ts";
import { decodeRecord, encodeRecord } from "../../src/store/record.ts";
import { readRow as readRedisRow } from "../../src/stores/redis/row.ts";
import { encodeData, encodeText, readRow as readSqlRow } from "../../src/stores/sql/codec.ts";
import type { SeededRandom } from "./random.ts";
import { EMPTY, describe, findFault, newKey, type Subject } from "./subject.ts";

const textAlphabet = '[]{}",:0123456789.eE+-nulk~yz\\ \u0000\ud800é';

/** Values of a field that somebody else may have written. */
function odd(random: SeededRandom): unknown {
  return random.pick<unknown>([
    undefined,
    null,
    0,
    1,
    -1,
    1.5,
    NaN,
    Infinity,
    2 ** 32,
    2 ** 53,
    10n,
    "",
    "x",
    "9e99",
    true,
    [],
    {},
    new Map(),
    new Map<unknown, unknown>([["a", 1]]),
    new Map<unknown, unknown>([[1, "a"]]),
    new Map([["__proto__", "x"]]),
    { a: "b" },
    notes,
    encodeMeta({
      ...plainNotes,
      deadline: 5,
      subject: "s",
      boundAt: 1,
      label: "l",
      cookieExpires: -1,
    }),
    "[]",
    "{}",
    "[1]",
    Symbol("x"),
    () => 1,
    new Uint8Array([0xff, 0xfe]),
    JSON.parse('{"__proto__":{"polluted":"yes"}}'),
    '{"__proto__":{"polluted":"yes"}}',
  ]);
}

const plainNotes = { created: 1, deadline: Infinity, barriers: 0, barrierAt: 0, boundAt: 0 };
const notes = encodeMeta(plainNotes);

function whole(): StoredSession {
  return {
    data: new Map([
      ["a", "b"],
      ["\u{1F36A}", '~"\\\u0000'],
    ]),
    rev: 1,
    generation: 1,
    expires: Date.now() + 60_000,
    meta: notes,
  };
}

/** A database mapper's row may have throwing getters; a driver's row has values. */
const throwing = {
  get data(): never {
    throw new Error("a row that throws when it is looked at");
  },
};

/** The values that a Redis client can give for a field. */
function oddReply(random: SeededRandom): unknown {
  const bytes = random.bytes(random.below(4));
  return random.pick<unknown>([null, undefined, 0, 1.5, true, "", "inf", "1 1 inf", "x", bytes]);
}

/** An object's fields, some with hostile values. */
function damageFields(
  random: SeededRandom,
  row: Readonly<Record<string, unknown>>,
  other: (random: SeededRandom) => unknown = odd,
): unknown {
  if (random.below(20) === 0) return other(random);
  const damaged: Record<string, unknown> = { ...row };
  const fields = Object.keys(row);
  for (let faults = random.below(3); faults > 0; faults--) {
    const field = fields[random.below(fields.length)] ?? "";
    const value = damaged[field];
    damaged[field] =
      typeof value === "string" && random.below(3) > 0
        ? random.damage(value, '"x",[{~w', textAlphabet)
        : other(random);
  }
  return damaged;
}

/** The fields of a record, with hostile values in one or two of them or of its entries. */
function oddFields(random: SeededRandom, text: string): unknown {
  const fields = JSON.parse(text.slice(2)) as unknown[];
  const entries = fields.at(-1) as unknown[];
  const anyJson = (): unknown => {
    const value = odd(random);
    return typeof value === "bigint" || typeof value === "symbol" ? [value.toString()] : value;
  };
  random.pick<() => void>([
    () => (fields[random.below(fields.length + 1)] = anyJson()),
    () => (entries[random.below(entries.length + 1)] = anyJson()),
    () => (entries[random.below(entries.length + 1)] = ["a", anyJson()]),
    () => (entries[random.below(entries.length + 1)] = [anyJson(), "b"]),
    () => void fields.splice(random.below(fields.length), 1),
  ])();
  return fields;
}

/** Every form in which our stores keep a session, damaged and then decoded by that store. */
const forms: Readonly<Record<string, (random: SeededRandom) => unknown>> = {
  "rows of a user's own store": (random) =>
    random.below(50) === 0 ? throwing : damageFields(random, { ...whole() }),
  "whole records": (random) => {
    const text = encodeRecord(whole());
    return random.pick<() => StoredSession | undefined>([
      () => decodeRecord(text),
      () => decodeRecord(odd(random)),
      () => decodeRecord(random.damage(text, text, textAlphabet)),
      // Valid JSON of invalid fields.
      () => decodeRecord(`k1${JSON.stringify(oddFields(random, text))}`),
      () => decodeRecord(`k1${JSON.stringify(oddFields(random, text))}`),
    ])();
  },
  "rows of SQL": (random) => {
    const { data, meta, ...numbers } = whole();
    const row = { ...numbers, data: encodeData(data), meta: encodeText(meta) };
    const damaged = damageFields(random, row);
    const isRow = typeof damaged === "object" && damaged !== null;
    return readSqlRow(isRow ? (damaged as Record<string, unknown>) : undefined);
  },
  "hashes of Redis": (random) => {
    const { data, meta, expires } = whole();
    const hash: Record<string, unknown> = { h: `1 1 ${expires} x`, m: meta, u: "1 x alice" };
    for (const [key, value] of data) hash[`:${key}`] = value;
    const damaged = damageFields(random, hash, oddReply);
    const entries = typeof damaged === "object" && damaged !== null ? Object.entries(damaged) : [];
    const reply = random.pick<unknown>([damaged, new Map(entries), entries.flat(), entries]);
    return readRedisRow(reply)?.stored;
  },
};

/** A subject for each form. */
export async function rowSubjects(): Promise<Subject[]> {
  const memory = new SessionMemoryStore();
  let row: unknown;
  const store: SessionStore = {
    load: () => row as never,
    save: (selector, change) => memory.save(selector, change),
  };
  const engine = new SessionMiddleware({ store, signingKey: newKey() });
  const first = await engine.open(undefined);
  first.set("a", "b");
  const header = (await engine.commit(first)).setCookie[0]?.split(";", 1)[0] ?? "";
  return Object.entries(forms).map(([name, make]) => ({
    name,
    run: async (random): Promise<"accepted" | "refused" | { fault: string }> => {
      row = make(random);
      const session = await engine.open(header);
      const fault = findFault(session);
      if (fault !== undefined) return { fault };
      for (const look of [
        session.createdAt,
        session.expiresAt,
        session.cookieExpires,
        session.sessionExpires,
      ])
        void look;
      const found = describe(session);
      // The memory store has another row of this id, or none: a renewal may be refused, nothing more.
      await engine.commit(session);
      return found === EMPTY ? "refused" : "accepted";
    },
  }));
}
