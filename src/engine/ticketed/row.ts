// Checks the shape of a store's answers. They are total, since anyone may have written a row.
import { decodeMeta, type SessionMeta } from "./meta.ts";
import type { SavedSession, StoredSession } from "../../store/contract.ts";

/** The generation is 32 bits in the ticket. */
const MAX_GENERATION = 0xffff_ffff;

/** A row of the right shape, with its notes decoded. */
export interface CheckedRow extends StoredSession {
  readonly notes: SessionMeta;
}

/** The checked row; undefined for anything that a store may not return. */
export function checkRow(row: unknown): CheckedRow | undefined {
  try {
    if (!isStoredSession(row)) return undefined;
    const notes = decodeMeta(row.meta);
    if (notes === undefined) return undefined;
    const { data, rev, generation, expires, meta } = row;
    return { data, rev, generation, expires, meta, notes };
  } catch {
    // A database mapper's object can have throwing getters; law L12 holds for them, too.
    return undefined;
  }
}

function isStoredSession(row: unknown): row is StoredSession {
  if (typeof row !== "object" || row === null) return false;
  const { data, rev, generation, expires, meta } = row as Partial<StoredSession>;
  return (
    isCounter(rev) &&
    isGeneration(generation) &&
    isEnd(expires) &&
    typeof meta === "string" &&
    isStringMap(data)
  );
}

/** True for an answer that `save` may give for a session that lives on. */
export function isSavedSession(saved: unknown): saved is SavedSession {
  if (typeof saved !== "object" || saved === null) return false;
  const { rev, generation, expires } = saved as Partial<SavedSession>;
  return isCounter(rev) && isGeneration(generation) && isEnd(expires);
}

/** True for a Map of strings. */
function isStringMap(data: unknown): data is ReadonlyMap<string, string> {
  if (!(data instanceof Map)) return false;
  for (const [key, value] of data as Map<unknown, unknown>) {
    if (typeof key !== "string" || typeof value !== "string") return false;
  }
  return true;
}

function isCounter(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isGeneration(value: unknown): value is number {
  return isCounter(value) && value <= MAX_GENERATION;
}

function isEnd(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
