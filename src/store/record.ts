// A stored session as one text, for stores of whole values. Decoding is total: the text may be cut off,
// or written by somebody else. It knows no store.
import type { StoredSession } from "./contract.ts";

/**
 * The format and its version. The leading letter prevents caches that parse JSON-like values from
 * returning an object in place of the text.
 */
const FORMAT = "k1";

/** The row's text: {@link FORMAT}, then JSON of [rev, generation, expires, meta, entries]. */
export function encodeRecord(stored: StoredSession): string {
  const { rev, generation, expires, meta, data } = stored;
  const end = expires === Infinity ? null : expires;
  return FORMAT + JSON.stringify([rev, generation, end, meta, [...data]]);
}

/** @returns undefined for any text that `encodeRecord` doesn't write. */
export function decodeRecord(text: unknown): StoredSession | undefined {
  if (typeof text !== "string" || !text.startsWith(FORMAT)) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(text.slice(FORMAT.length));
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 5) return undefined;
  const [rev, generation, end, meta, entries] = fields as unknown[];
  if (typeof rev !== "number" || typeof generation !== "number") return undefined;
  if ((end !== null && typeof end !== "number") || typeof meta !== "string") return undefined;
  if (!Array.isArray(entries) || !entries.every(isEntry)) return undefined;
  return { rev, generation, expires: end ?? Infinity, meta, data: new Map(entries) };
}

function isEntry(entry: unknown): entry is [string, string] {
  return (
    Array.isArray(entry) &&
    entry.length === 2 &&
    typeof entry[0] === "string" &&
    typeof entry[1] === "string"
  );
}
