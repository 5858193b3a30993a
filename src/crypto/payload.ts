// The payload of a token: a session in a binary, canonical format (equal sessions are equal bytes).
// Decoding is total: every length is checked before it is used. It knows no key and no cookie.
//
//   16 bytes   the session's id
//   [varint    0, if it has an idle timeout of its own: no revision is 0]
//   varint     rev * 8 + 4 if it has a credential of its own + 2 if it is bound
//              + 1 if it has a cookie lifetime of its own
//   4 bytes    created, Unix seconds, big-endian
//   varint     idle end, seconds after created; 0: none, and then
//     varint     issued, seconds after created
//   varint     absolute end, seconds after created; 0: none
//   [varint    its own cookieExpires + 1]
//   [varint    its own idle timeout, seconds over 0]
//   [varint, … the subject's length and UTF-8;  varint  bound at, Unix milliseconds]
//   [16 bytes  the credential's id]
//   then for each pair, ordered by the key's UTF-8 bytes, to the end:
//   varint, …, varint, …   the key's length and UTF-8, the value's length and UTF-8
//
// A varint is LEB128 of at most 53 bits in its shortest form: binary.ts. The pairs: pairs.ts.
import { createScratch } from "#crypto";
import { countUnits, MAX_BYTES_PER_UNIT } from "../base/text.ts";
import { ID_BYTES, Reader, Writer } from "./binary.ts";
import { readPairs, shortPairs, writePairs } from "./pairs.ts";

/** A sealed session; instants in Unix milliseconds. */
export interface SessionPayload {
  /** base64url of 16 bytes. */
  readonly id: string;
  /** base64url of 16 bytes; absent: the session's first credential, whose id is `id`. */
  readonly credential?: string | undefined;
  readonly rev: number;
  /** Whole seconds. */
  readonly created: number;
  /** The instant of its sealing, whole seconds; kept only without an idle end, else 0. */
  readonly issued: number;
  /** Rounded up to whole seconds; Infinity: none. */
  readonly idleExpires: number;
  /** Rounded up to whole seconds; Infinity: none. */
  readonly deadline: number;
  readonly subject?: string | undefined;
  readonly boundAt?: number | undefined;
  /** Seconds, -1 or 0, as the configuration's `cookieExpires`. */
  readonly cookieExpires?: number | undefined;
  /** The session's own idle timeout: seconds over 0. */
  readonly sessionExpires?: number | undefined;
  readonly data: ReadonlyMap<string, string>;
}

const SECOND = 1000;
/** The bytes before the pairs, except the subject: an upper bound. */
const FIXED_BYTES = 2 * ID_BYTES + 4 + 1 + 8 * 8;
/** The two lengths of a pair: an upper bound. */
const PAIR_BYTES = 2 * 5;
const HAS_LIFETIME = 1;
const IS_BOUND = 2;
const HAS_CREDENTIAL = 4;
const FLAGS = 8;
/** Precedes the revision of a session with an idle timeout of its own. */
const HAS_IDLE = 0;
/** Enough for the payload of every cookie, even a split one; a larger payload gets its own memory. */
const SCRATCH_BYTES = 16_384;

const scratch = createScratch(SCRATCH_BYTES);

/** The canonical bytes of a session. */
export function encodePayload(payload: SessionPayload): Uint8Array {
  // A copy: Node's scratch is a Buffer, whose slice() shares its memory.
  return new Uint8Array(borrowPayload(payload));
}

/** As {@link encodePayload}, in memory that the next call overwrites. */
export function borrowPayload(payload: SessionPayload): Uint8Array {
  const { credential, subject, boundAt, cookieExpires, sessionExpires, data } = payload;
  const short = shortPairs(data);
  const units = (subject?.length ?? 0) + (short?.length ?? countUnits(data));
  const room = FIXED_BYTES + PAIR_BYTES * data.size + units * MAX_BYTES_PER_UNIT;
  const writer = new Writer(room <= SCRATCH_BYTES ? scratch() : new Uint8Array(room));
  writer.id(payload.id);
  const isBound = subject !== undefined && boundAt !== undefined;
  const flags =
    (credential === undefined ? 0 : HAS_CREDENTIAL) +
    (isBound ? IS_BOUND : 0) +
    (cookieExpires === undefined ? 0 : HAS_LIFETIME);
  if (sessionExpires !== undefined) writer.varint(HAS_IDLE);
  writer.varint(payload.rev * FLAGS + flags);
  const created = Math.floor(payload.created / SECOND);
  writer.uint32(created);
  writer.varint(secondsAfter(created, payload.idleExpires));
  if (payload.idleExpires === Infinity) {
    writer.varint(Math.max(0, Math.floor(payload.issued / SECOND) - created));
  }
  writer.varint(secondsAfter(created, payload.deadline));
  if (cookieExpires !== undefined) writer.varint(cookieExpires + 1);
  if (sessionExpires !== undefined) writer.varint(sessionExpires);
  if (isBound) {
    writer.text(subject);
    writer.varint(boundAt);
  }
  if (credential !== undefined) writer.id(credential);
  writePairs(writer, data, short);
  return writer.written;
}

/** The session of canonical bytes; undefined for any others. */
export function decodePayload(bytes: Uint8Array): SessionPayload | undefined {
  const reader = new Reader(bytes);
  const id = reader.id();
  const first = reader.varint();
  const hasIdle = first === HAS_IDLE;
  const numbers = hasIdle ? reader.varint() : first;
  const flags = numbers % FLAGS;
  const createdSeconds = reader.uint32();
  const created = createdSeconds * SECOND;
  const idle = reader.varint();
  const issued = idle === 0 ? created + reader.varint() * SECOND : 0;
  const deadline = reader.varint();
  const cookieExpires = (flags & HAS_LIFETIME) === 0 ? undefined : reader.varint() - 1;
  const sessionExpires = hasIdle ? reader.varint() : undefined;
  const subject = (flags & IS_BOUND) === 0 ? undefined : reader.text();
  const boundAt = subject === undefined ? undefined : reader.varint();
  const credential = (flags & HAS_CREDENTIAL) === 0 ? undefined : reader.id();
  const data = reader.failed ? undefined : readPairs(reader);
  const rev = (numbers - flags) / FLAGS;
  if (data === undefined || rev < 1 || sessionExpires === 0) return undefined;
  const idleExpires = idle === 0 ? Infinity : created + idle * SECOND;
  const end = deadline === 0 ? Infinity : created + deadline * SECOND;
  return {
    id,
    credential,
    rev,
    created,
    issued,
    idleExpires,
    deadline: end,
    subject,
    boundAt,
    cookieExpires,
    sessionExpires,
    data,
  };
}

/** Seconds between the two, rounded up: a session never ends before its end. */
function secondsAfter(created: number, end: number): number {
  return end === Infinity ? 0 : Math.max(1, Math.ceil(end / SECOND) - created);
}
