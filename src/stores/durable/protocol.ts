// The calls between workers and objects, which can be of different versions while a deployment is under way.
// Each call carries the version of the calls and names each of its fields; an object refuses a version, a call or
// a field that it doesn't know. It never ignores one: a change without its `expect` would be another change. Nor
// does a worker take an outcome that it doesn't know for a refusal.
//
//   call    {"v": 1, "call": "save", …fields}     POST, JSON
//   answer  {"v": 1, "answer": …}  or  {"v": 1, "refused": "why"}
//
// A time without an end, Infinity in TypeScript, is null.
import type { RevocationEntry, RevocationRecord } from "../../revocations/revocations.ts";
import type { SessionChange } from "../../store/contract.ts";

/** The version of the calls. A new call or field needs no new one; another meaning does. */
export const PROTOCOL = 1;

/** Milliseconds; null: Infinity. */
export type WireTime = number | null;

/** A change of a session on its way: maps are lists of entries, and null stands for Infinity or no value. */
export interface WireChange {
  readonly [field: string]: unknown;
}

/** A session's place in the list of its subject. */
export interface Claim {
  readonly subject: string;
  /** The place's own name: a session can have claimed several. */
  readonly claim: string;
  /** It holds for a session that ends until then. */
  readonly until: WireTime;
}

/** A place to release. */
export type GoneClaim = Pick<Claim, "subject" | "claim">;

/** The answer to a save. */
export type SaveAnswer =
  | { readonly outcome: "refused" }
  /** Nothing is saved: the session would live longer than its place in the subject's list. */
  | { readonly outcome: "unclaimed"; readonly subject: string; readonly expires: WireTime }
  /** Nothing is saved: the session would need about so many bytes, more than an object's storage takes. */
  | { readonly outcome: "too large"; readonly bytes: number }
  | {
      readonly outcome: "applied";
      readonly rev: number;
      readonly generation: number;
      readonly expires: WireTime;
      /** The place that the session had before, and has no more. */
      readonly gone?: GoneClaim | undefined;
    };

/** A live session's row. */
export interface WireRow {
  /** The session as `encodeRecord` writes it. */
  readonly record: string;
  readonly subject?: string | undefined;
  readonly claim?: string | undefined;
}

/** The calls of a SessionObject. */
export interface SessionCalls {
  load(fields: object): WireRow | null;
  save(fields: {
    readonly change: WireChange;
    /** A place that was claimed for this change. */
    readonly claim?: Claim | undefined;
    /** True: a session with a subject needs a place in its list. */
    readonly lists: boolean;
  }): SaveAnswer;
  /** Ends the session if it is live and bound to the subject. */
  end(fields: { readonly subject: string }): {
    readonly ended: boolean;
    /** Its place in the subject's list. */
    readonly claim?: string | undefined;
  };
}

/** The calls of a SubjectObject. */
export interface SubjectCalls {
  /** Claims a place for a session that ends `span` from now, or at `expires` if that is later. */
  claim(fields: {
    readonly id: string;
    readonly span: WireTime;
    readonly expires: WireTime;
    readonly deadline: WireTime;
  }): Omit<Claim, "subject">;
  release(fields: { readonly claims: readonly Pick<Member, "id" | "claim">[] }): null;
  members(fields: object): readonly Member[];
}

/** A place in a subject's list. */
export interface Member {
  readonly id: string;
  readonly claim: string;
  /** True when it is too old to get a session any more: it has one already, or is stale. */
  readonly settled: boolean;
}

/** The calls of a RevocationObject. */
export interface RevocationCalls {
  append(fields: { readonly entry: RevocationEntry }): {
    readonly record: RevocationRecord;
    readonly isFirst: boolean;
  };
  read(fields: { readonly cursor?: string | undefined; readonly limit: number }): {
    readonly records: readonly RevocationRecord[];
    readonly cursor: string;
    readonly more: boolean;
    readonly now: number;
  };
  sweep(fields: { readonly limit: number }): number;
}

/** Thrown in an object: the call isn't carried out, and the worker is told why. */
export class Refusal extends Error {}

/** The way out where a worker and its objects don't know the same calls. */
export const ONE_VERSION = "deploy the worker and its objects from one version of kocha-session";

/** The refusal of what an object doesn't know. */
export function unknown(what: string): Refusal {
  return new Refusal(`doesn't know ${what}; ${ONE_VERSION}`);
}

/** A time on its way. */
export function toWire(ms: number): WireTime {
  return ms === Infinity ? null : ms;
}

/** A time that has arrived. */
export function fromWire(ms: WireTime): number {
  return ms ?? Infinity;
}

/** A field of a change, there and back. */
interface Field<Value> {
  readonly write: (value: Value) => unknown;
  readonly read: (wire: never) => Value;
}

const same = { write: (value: unknown) => value, read: (wire: never) => wire };
const time: Field<number> = { write: toWire, read: fromWire };

/** Every field of a change. A new one doesn't compile until it is here, and only then do objects take it. */
const changeFields: {
  readonly [Name in keyof Required<SessionChange>]: Field<Exclude<SessionChange[Name], undefined>>;
} = {
  op: same,
  rev: same,
  expect: {
    write: (expect) => Array.from(expect, ([key, value]) => [key, value ?? null]),
    read: (wire: [string, string | null][]) =>
      new Map(wire.map(([key, value]) => [key, value ?? undefined])),
  },
  clear: same,
  bump: same,
  shrinks: same,
  set: { write: (set) => [...set], read: (wire: [string, string][]) => new Map(wire) },
  del: same,
  ttl: time,
  deadline: time,
  meta: same,
  subject: same,
};

/** A change on its way. */
export function writeChange(change: SessionChange): WireChange {
  const sent = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(sent.map(([name, value]) => [name, fieldOf(name).write(value)]));
}

/**
 * A change that has arrived.
 * @throws {Refusal} for a field that this object doesn't know.
 */
export function readChange(wire: WireChange): SessionChange {
  const fields = Object.entries(wire);
  return Object.fromEntries(
    fields.map(([name, value]) => [name, fieldOf(name).read(value as never)]),
  ) as unknown as SessionChange;
}

function fieldOf(name: string): Field<unknown> {
  if (Object.hasOwn(changeFields, name)) {
    return changeFields[name as keyof SessionChange] as Field<unknown>;
  }
  throw unknown(`the field ${name} of a change`);
}

/**
 * Checks the names of an object's fields.
 * @throws {Refusal} for a field that isn't in `known`.
 */
export function mustKnow(of: string, fields: object, known: readonly string[]): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) throw unknown(`the field ${name} of ${of}`);
  }
}
