// A session as an item of DynamoDB. Names of attributes count for an item's size, so they are short:
//
//   id   the selector, the table's key
//   d    the data: a map of strings, each key behind a dot, since a name can't be empty
//   r g  rev and generation
//   e    the end, Unix milliseconds; the largest whole number: never
//   m    the notes (meta)
//   n    the nonce of the last change that may be applied only once
//   v    the nonce of the last write: the item's version
//   ttl  Unix seconds from which DynamoDB may delete the item; absent: never
import type { StoredSession } from "../../store/contract.ts";
import { utf8Length } from "../../base/text.ts";
import { MAX_SKEW, SECOND } from "../../base/time.ts";
import type { DynamoValue } from "./client.ts";

/** An item, as far as it was read. */
export interface DynamoRow {
  readonly stored: StoredSession;
  readonly nonce: string;
  readonly version: string;
}

/** Stands for Infinity. */
const NEVER = Number.MAX_SAFE_INTEGER;
const KEY_MARK = ".";
/** About the bytes of an item without its selector, its data and its notes. */
const FIXED_BYTES = 80;
/** Bytes that DynamoDB adds to each entry of a map. */
const ENTRY_BYTES = 1;

/** The name of a session's key in the map `d`. */
export function nameOf(key: string): string {
  return KEY_MARK + key;
}

export function textValue(text: string): { readonly S: string } {
  return { S: text };
}

export function numberValue(value: number): { readonly N: string } {
  return { N: String(value) };
}

export function dataValue(data: ReadonlyMap<string, string>): DynamoValue {
  return { M: Object.fromEntries(Array.from(data, ([key, text]) => [nameOf(key), { S: text }])) };
}

/** An instant for the attribute `e`. */
export function endOf(ms: number): number {
  return Math.min(Math.floor(ms), NEVER);
}

/** The attribute `ttl`: clocks differ, and `e` decides; undefined: DynamoDB never deletes the item. */
export function ttlOf(end: number): number | undefined {
  return end >= NEVER ? undefined : Math.ceil((end + MAX_SKEW) / SECOND);
}

/** @returns undefined for no item, and for one that we didn't write (S1). */
export function readItem(item: unknown): DynamoRow | undefined {
  const [rev, generation, end] = [numberIn(item, "r"), numberIn(item, "g"), numberIn(item, "e")];
  const meta = valueIn(item, "m", "S");
  const data = dataIn(item);
  if (rev === undefined || generation === undefined || end === undefined) return undefined;
  if (data === undefined || typeof meta !== "string" || rev < 1 || generation < 1) return undefined;
  const expires = end >= NEVER ? Infinity : end;
  return {
    stored: { data, rev, generation, expires, meta },
    nonce: String(valueIn(item, "n", "S")),
    version: String(valueIn(item, "v", "S")),
  };
}

/** The size of a session's item in bytes, about as DynamoDB counts it. */
export function itemBytes(selector: string, { data, meta }: StoredSession): number {
  let bytes = FIXED_BYTES + selector.length + utf8Length(meta);
  for (const [key, text] of data) {
    bytes += ENTRY_BYTES + utf8Length(nameOf(key)) + utf8Length(text);
  }
  return bytes;
}

function dataIn(item: unknown): Map<string, string> | undefined {
  const entries = valueIn(item, "d", "M");
  if (typeof entries !== "object" || entries === null) return undefined;
  const data = new Map<string, string>();
  for (const name of Object.keys(entries)) {
    const text = valueIn(entries, name, "S");
    if (!name.startsWith(KEY_MARK) || typeof text !== "string") return undefined;
    data.set(name.slice(KEY_MARK.length), text);
  }
  return data;
}

function numberIn(item: unknown, name: string): number | undefined {
  const text = valueIn(item, name, "N");
  const value = typeof text === "string" ? Number(text) : NaN;
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The value of an attribute, if it has one of this type. */
function valueIn(attributes: unknown, name: string, type: "S" | "N" | "M"): unknown {
  const attribute = (attributes as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return (attribute as Readonly<Record<string, unknown>> | null | undefined)?.[type];
}
