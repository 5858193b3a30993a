// The two kinds of merging cookies inside their tokens: a part, which holds a whole session after one
// write, and a tombstone. Decoding is total; it knows no key, no cookie name and no clock.
//
// A part:
//   varint       1, or 3 when the epoch has a nonce
//   [16 bytes    the epoch's nonce]
//   varint       the floor, a stamp
//   varint, …    how many parts it covers; 4 bytes each: their decoded suffixes
//   varint, …    how many stamps; the first as a varint, each other one by its distance
//   varint, …    how many keys; for each, in the order of the payload, the place of its stamp
//   varint, …    how many marks; for each the key's length and UTF-8, and the place of its stamp
//   …            the session's payload, as in crypto/payload.ts
//
// A tombstone:
//   varint       0
//   4 bytes      the instant of the logout, Unix seconds, big-endian
//   varint       its end, in seconds after that; 0: none
//   then for each dead session, to the end:
//   16 bytes     the session's id
//   varint       epochs of a lower rev are dead; 0: all are
import { decodeBase64url, encodeBase64url } from "#crypto";
import { SECOND } from "../base/time.ts";
import type { RevocationVerdict } from "../store/contract.ts";
import { MAX_BYTES_PER_UNIT } from "../base/text.ts";
import { ID_BYTES, Reader, Writer } from "../crypto/binary.ts";
import { borrowPayload, decodePayload, type SessionPayload } from "../crypto/payload.ts";

/** The state of a key: its value and the stamp of the write that set it; undefined: deleted. */
export interface Entry {
  readonly value: string | undefined;
  readonly stamp: number;
}

/** The whole session after one write. */
export interface Part {
  /** Its numbers and its data, in the order of the keys' bytes; `rev` is the epoch's. */
  readonly session: SessionPayload;
  /** base64url of 16 bytes, or "": then the session's beginning or its credential is the epoch's. */
  readonly nonce: string;
  /** The stamp up to which marks have been dropped. */
  readonly floor: number;
  /** The keys of the data with their stamps, and the marks. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** The suffixes of the parts that the write's request carried. */
  readonly covers: readonly string[];
}

/** The trace of a logout. */
export interface Tombstone {
  /** Unix milliseconds of the logout, whole seconds. */
  readonly at: number;
  /** Unix milliseconds, whole seconds; Infinity: no end. */
  readonly until: number;
  /** The dead sessions' ids, each with the lowest `rev` of a live epoch; Infinity: none is alive. */
  readonly dead: ReadonlyMap<string, number>;
}

/** A cookie of the request that opened as a part or a tombstone. */
export interface Seen {
  /** The six characters behind the name. */
  readonly suffix: string;
  /** Its bytes in the Cookie header. */
  readonly bytes: number;
  readonly content: Part | Tombstone;
  /** The list's verdict on a part's session, or "future" for one created too far ahead. */
  readonly verdict?: RevocationVerdict | "future" | undefined;
}

/** True for a part, false for a tombstone. */
export function isPart(content: Part | Tombstone): content is Part {
  return "entries" in content;
}

/** A suffix stands for so many bytes. */
export const SUFFIX_BYTES = 4;
const TOMBSTONE = 0;
const PART = 1;
const HAS_NONCE = 2;
/** The most bytes of a varint. */
const VARINT_BYTES = 8;

/** The decoded bytes of a part's suffix; undefined for a suffix that isn't ours. */
function suffixBytes(suffix: string): Uint8Array | undefined {
  const bytes = decodeBase64url(suffix);
  return bytes?.length === SUFFIX_BYTES ? bytes : undefined;
}

/** The suffix of a cookie's name as a part or tombstone of `name`; undefined for any other name. */
export function suffixOf(cookieName: string, name: string): string | undefined {
  if (cookieName[name.length] !== "." || !cookieName.startsWith(name)) return undefined;
  const suffix = cookieName.slice(name.length + 1);
  return suffixBytes(suffix) && suffix;
}

/** The bytes of a part; equal parts are equal bytes. */
export function encodePart(part: Part): Uint8Array {
  const { session, nonce, floor, entries, covers } = part;
  const payload = borrowPayload(session);
  const stamps = [...new Set(Array.from(entries.values(), ({ stamp }) => stamp))].toSorted(
    (one, other) => one - other,
  );
  const marks = [...entries].filter(([, { value }]) => value === undefined);
  let room = payload.length + 1 + ID_BYTES + (5 + stamps.length + entries.size) * VARINT_BYTES;
  room += covers.length * SUFFIX_BYTES;
  for (const [key] of marks) room += VARINT_BYTES + key.length * MAX_BYTES_PER_UNIT;
  const writer = new Writer(new Uint8Array(room));
  writer.varint(nonce === "" ? PART : PART + HAS_NONCE);
  if (nonce !== "") writer.id(nonce);
  writer.varint(floor);
  writer.varint(covers.length);
  for (const suffix of covers) writer.bytes(suffixBytes(suffix) ?? new Uint8Array(SUFFIX_BYTES));
  writer.varint(stamps.length);
  for (const [index, stamp] of stamps.entries()) writer.varint(stamp - (stamps[index - 1] ?? 0));
  const places = new Map(stamps.map((stamp, place) => [stamp, place]));
  const place = (key: string): number => places.get(entries.get(key)?.stamp ?? 0) ?? 0;
  writer.varint(session.data.size);
  for (const key of session.data.keys()) writer.varint(place(key));
  writer.varint(marks.length);
  for (const [key] of marks) {
    writer.text(key);
    writer.varint(place(key));
  }
  writer.bytes(payload);
  return writer.written;
}

/** The bytes of a tombstone. */
export function encodeTombstone({ at, until, dead }: Tombstone): Uint8Array {
  const room = 1 + 4 + VARINT_BYTES + dead.size * (ID_BYTES + VARINT_BYTES);
  const writer = new Writer(new Uint8Array(room));
  writer.varint(TOMBSTONE);
  writer.uint32(at / SECOND);
  writer.varint(until === Infinity ? 0 : (until - at) / SECOND);
  for (const [id, rev] of dead) {
    writer.id(id);
    writer.varint(rev === Infinity ? 0 : rev);
  }
  return writer.written;
}

/** Decodes a part or a tombstone; undefined for bytes that our encoders don't write. */
export function decodePart(bytes: Uint8Array): Part | Tombstone | undefined {
  const reader = new Reader(bytes);
  const kind = reader.varint();
  if (kind === TOMBSTONE) return readTombstone(reader);
  if (kind !== PART && kind !== PART + HAS_NONCE) return undefined;
  const nonce = kind === PART ? "" : reader.id();
  const floor = reader.varint();
  const covers = readList(reader, () => encodeBase64url(reader.bytes(SUFFIX_BYTES)));
  let stamp = 0;
  const stamps = readList(reader, () => (stamp += reader.varint()));
  const places = readList(reader, () => reader.varint());
  const marks = readList(reader, () => [reader.text(), reader.varint()] as const);
  const session = decodePayload(reader.rest());
  if (reader.failed || session?.data.size !== places.length) return undefined;
  const entries = new Map<string, Entry>();
  const stampAt = (place = 0): number => stamps[place] ?? Number.NaN;
  for (const [key, value] of session.data) {
    entries.set(key, { value, stamp: stampAt(places[entries.size]) });
  }
  for (const [key, place] of marks) entries.set(key, { value: undefined, stamp: stampAt(place) });
  for (const entry of entries.values()) if (Number.isNaN(entry.stamp)) return undefined;
  return { session, nonce, floor, entries, covers };
}

function readTombstone(reader: Reader): Tombstone | undefined {
  const at = reader.uint32() * SECOND;
  const until = reader.varint();
  const dead = new Map<string, number>();
  while (!reader.failed && !reader.done) {
    const id = reader.id();
    dead.set(id, reader.varint() || Infinity);
  }
  if (reader.failed) return undefined;
  return { at, until: until === 0 ? Infinity : at + until * SECOND, dead };
}

/** Reads as many items as the count says, checked against the remaining bytes. */
function readList<Item>(reader: Reader, read: () => Item): Item[] {
  const items: Item[] = [];
  for (let left = reader.varint(); left > 0 && !reader.failed; left--) items.push(read());
  return items;
}
