// The engine's own notes in a stored row, opaque to stores. Decoding is total, since anyone may have
// written the row.
import { MAX_SECONDS } from "../../base/time.ts";

/** The engine's notes beside the data of a server-side session. */
export interface SessionMeta {
  /** Unix milliseconds. */
  readonly created: number;
  /** Unix milliseconds; Infinity: no absolute timeout. */
  readonly deadline: number;
  /** The number of the session's barriers: clears and regenerates. */
  readonly barriers: number;
  /** Unix milliseconds of the last regenerate; 0: never. The grace of law L4 counts from it. */
  readonly barrierAt: number;
  readonly subject?: string;
  /** Unix milliseconds of the binding; 0: not bound. */
  readonly boundAt: number;
  readonly label?: string;
  /** The cookie lifetime that this session chose, in seconds. */
  readonly cookieExpires?: number | undefined;
  /** The idle timeout that this session chose, in seconds over 0. */
  readonly sessionExpires?: number | undefined;
}

const FORMAT = 2;
const FIELDS = 10;

/** JSON of a fixed tuple: short, and readable for an operator. */
export function encodeMeta(meta: SessionMeta): string {
  return JSON.stringify([
    FORMAT,
    meta.created,
    meta.deadline === Infinity ? null : meta.deadline,
    meta.barrierAt,
    meta.subject ?? null,
    meta.boundAt,
    meta.label ?? null,
    meta.cookieExpires ?? null,
    meta.barriers,
    meta.sessionExpires ?? null,
  ]);
}

/** @returns undefined for any text that `encodeMeta` doesn't write. */
export function decodeMeta(text: string): SessionMeta | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields) || fields.length !== FIELDS || fields[0] !== FORMAT) return undefined;
  const [, created, deadline, barrierAt, subject, boundAt, label] = fields as unknown[];
  const [cookieExpires, barriers, sessionExpires] = fields.slice(7) as unknown[];
  if (!isWhole(created) || !isWhole(barrierAt) || !isWhole(boundAt)) return undefined;
  if (!isWhole(barriers)) return undefined;
  if (deadline !== null && !isWhole(deadline)) return undefined;
  if (!isTextOrNull(subject) || !isTextOrNull(label)) return undefined;
  if (cookieExpires !== null && !isLifetime(cookieExpires)) return undefined;
  if (sessionExpires !== null && (!isLifetime(sessionExpires) || sessionExpires < 1)) {
    return undefined;
  }
  return {
    created,
    deadline: deadline ?? Infinity,
    barriers,
    barrierAt,
    boundAt,
    ...(subject !== null && { subject }),
    ...(label !== null && { label }),
    ...(cookieExpires !== null && { cookieExpires }),
    ...(sessionExpires !== null && { sessionExpires }),
  };
}

/** True for a `cookieExpires`: whole seconds, or -1. */
export function isLifetime(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -1 && (value as number) <= MAX_SECONDS;
}

/** True for a count, or an instant in Unix milliseconds. */
function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}
