// How a session's strings, times and changes stand in a SQL row, the same on every engine. The data is
// one JSON object of strings, and a change is a merge patch of it (RFC 7396): only changed keys travel.
// It knows no driver.
//
// No key and no value may meet an engine's own idea of a string: PostgreSQL refuses NUL, MariaDB
// and SQLite compare keys by their escaped text. So the few characters that JSON or an engine
// treats specially are written as "~" and one letter, and no JSON of ours holds a backslash:
//
//   ~0 … ~v   the controls U+0000 … U+001F     ~w  "     ~x  \     ~z  ~
//   ~y####    a lone surrogate, four hex digits
import type { SessionChange, StoredSession } from "../../store/contract.ts";

/** Stands for Infinity in a column of whole numbers: the largest that a double holds exactly. */
export const NEVER: number = Number.MAX_SAFE_INTEGER;
const SELECTOR = /^[A-Za-z0-9_-]{22}$/;
const SPECIAL = /[\p{Cc}"\\~\p{Surrogate}]/u;
const SPECIALS = /[\p{Cc}"\\~\p{Surrogate}]/gu;
/** Outside of JSON quotes and line breaks may stand as they are. */
const SPECIALS_OF_TEXT = /[\0~\p{Surrogate}]/gu;
/** It also matches a tilde without a code of ours behind it, which decoding then refuses. */
const ESCAPES = /~(?:y[0-9a-f]{4}|[0-9a-xz])?/g;
const DIGITS = 32;

/** Whether `text` is what the engine names rows by; nothing else was ever saved. */
export function isSelector(text: string): boolean {
  return SELECTOR.test(text);
}

/** A string of ours as it stands in a text column. */
export function encodeText(text: string): string {
  return text.replaceAll(SPECIALS_OF_TEXT, escape);
}

/** Decodes the output of `encodeText` or a JSON string of ours; undefined for any other text. */
export function decodeText(text: string): string | undefined {
  if (!text.includes("~")) return text;
  let isOurs = true;
  const decoded = text.replaceAll(ESCAPES, (escaped) => {
    const letter = escaped.charAt(1);
    if (letter === "w") return '"';
    if (letter === "x") return "\\";
    if (letter === "z") return "~";
    const code = letter === "y" ? parseInt(escaped.slice(2), 16) : parseInt(letter, DIGITS);
    isOurs &&= letter === "y" ? code >= 0xd800 && code <= 0xdfff : code < DIGITS;
    return String.fromCharCode(code);
  });
  return isOurs ? decoded : undefined;
}

function escape(character: string): string {
  if (character === '"') return "~w";
  if (character === "\\") return "~x";
  if (character === "~") return "~z";
  const code = character.charCodeAt(0);
  if (code < DIGITS) return `~${code.toString(DIGITS)}`;
  // No engine treats DEL or the C1 controls specially.
  return code < 0xd800 ? character : `~y${code.toString(16)}`;
}

/** A key or a value as it stands between the quotes of the data's JSON. */
export function encodeInJson(text: string): string {
  return SPECIAL.test(text) ? text.replaceAll(SPECIALS, escape) : text;
}

/** A string of JSON; it needs none of JSON's own escapes. */
function quote(text: string): string {
  return `"${encodeInJson(text)}"`;
}

/** Entries as a JSON object; null removes a key, as in a merge patch. */
function encodeObject(entries: Iterable<readonly [string, string | null]>): string {
  let text = "";
  for (const [key, value] of entries) {
    const end = value === null ? "null" : quote(value);
    text += `${text === "" ? "{" : ","}${quote(key)}:${end}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

/** The data as its column holds it. */
export function encodeData(data: ReadonlyMap<string, string>): string {
  return encodeObject(data);
}

/** Keys as a JSON array, each as it stands in the data's JSON. */
export function encodeKeys(keys: readonly string[]): string {
  return `[${keys.map(quote).join(",")}]`;
}

/** The merge patch that deletes, then sets. */
export function encodePatch({ del, set }: Pick<SessionChange, "del" | "set">): string {
  const patch = new Map<string, string | null>();
  for (const key of del) patch.set(key, null);
  for (const [key, value] of set) patch.set(key, value);
  return encodeObject(patch);
}

/** The data of a row; undefined for data that we didn't write, or that was cut off. */
function decodeData(text: unknown): Map<string, string> | undefined {
  if (typeof text !== "string") return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  const data = new Map<string, string>();
  for (const [name, value] of Object.entries(parsed)) {
    const key = decodeText(name);
    const decoded = typeof value === "string" ? decodeText(value) : undefined;
    if (key === undefined || decoded === undefined) return undefined;
    data.set(key, decoded);
  }
  return data;
}

/** An instant or a duration, in milliseconds, for a column of whole numbers. */
export function toSqlTime(ms: number): number {
  return Math.min(Math.floor(ms), NEVER);
}

/** A number of a row, however the driver gives it: number, bigint or text. */
export function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "bigint" || typeof value === "string" ? Number(value) : NaN;
}

/** The three numbers of a row; undefined for values that we can't have written. */
export function readNumbers(
  row: Readonly<Record<string, unknown>>,
): Pick<StoredSession, "rev" | "generation" | "expires"> | undefined {
  const rev = toNumber(row["rev"]);
  const generation = toNumber(row["generation"]);
  const expires = toNumber(row["expires"]);
  const areCounters = [rev, generation].every((count) => Number.isSafeInteger(count) && count >= 1);
  if (!areCounters || !(expires >= 0)) return undefined;
  return { rev, generation, expires: expires >= NEVER ? Infinity : expires };
}

/** The session of a row; undefined for a malformed row, whoever wrote it (S1). */
export function readRow(
  row: Readonly<Record<string, unknown>> | undefined,
): StoredSession | undefined {
  if (row === undefined) return undefined;
  const numbers = readNumbers(row);
  const data = decodeData(row["data"]);
  const meta = typeof row["meta"] === "string" ? decodeText(row["meta"]) : undefined;
  return numbers && data && meta !== undefined ? { data, ...numbers, meta } : undefined;
}
