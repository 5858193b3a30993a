// Finds our cookies in a Cookie header. Reading it is a security boundary: names
// are compared byte for byte, nothing is percent-decoded, and only SP and HTAB are trimmed.
//
// RFC 6265bis section 4.2.1 (what a well-behaved client sends):
//   cookie-string = cookie-pair *( ";" SP cookie-pair )
//   cookie-pair   = cookie-name BWS "=" BWS cookie-value
// A client can send anything: the scan is total, and linear in the header's length.
import type { Cookie } from "../store/contract.ts";

/** A longer Cookie header is not read: twice what Node.js takes for all headers together. */
export const MAX_HEADER_LENGTH = 32_768;
/** A dot and six base64url characters. */
const SUFFIX_LENGTH = 7;

const SPACE = 0x20;
const TAB = 0x09;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const DOT = 0x2e;

/** The values of the cookies named exactly `name`, in the header's order. */
export function findCookies(header: string, name: string): string[] {
  const found: string[] = [];
  scan(header, name, false, (_, value) => void found.push(value));
  return found;
}

/** The cookies named `name`, then those named `name.` + 6 base64url characters. */
export function findParts(header: string, name: string): Cookie[] {
  const whole: Cookie[] = [];
  let parts: Cookie[] | undefined;
  scan(header, name, true, (found, value) => {
    (found === name ? whole : (parts ??= [])).push({ name: found, value });
  });
  return parts === undefined ? whole : [...whole, ...parts];
}

/** The cookies that a sealed store looks at: {@link findParts}, and those of other libraries' names. */
export function findSealed(
  header: string,
  name: string,
  foreign: readonly string[] = [],
): Cookie[] {
  if (header === "") return [];
  const cookies = findParts(header, name);
  for (const other of foreign) {
    if (other === name) continue;
    for (const value of findCookies(header, other)) cookies.push({ name: other, value });
  }
  return cookies;
}

/** Calls `found` with each name and value. */
function scan(
  header: string,
  name: string,
  suffixed: boolean,
  found: (name: string, value: string) => void,
): void {
  let hit = header.indexOf(name);
  while (hit !== -1) {
    let end = hit + name.length;
    if (suffixed && header.charCodeAt(end) === DOT) end = suffixEnd(header, end);
    const equals = skipSpace(header, end);
    if (header.charCodeAt(equals) === EQUALS && startsPair(header, hit)) {
      const stop = header.indexOf(";", equals);
      const value = trim(header, equals + 1, stop === -1 ? header.length : stop);
      found(end === hit + name.length ? name : header.slice(hit, end), value);
      if (stop === -1) return;
      hit = header.indexOf(name, stop);
    } else {
      hit = header.indexOf(name, end);
    }
  }
}

/** True if only white space stands between the preceding `;` (or the start) and `index`. */
function startsPair(header: string, index: number): boolean {
  let before = index - 1;
  while (before >= 0 && isSpace(header.charCodeAt(before))) before--;
  return before < 0 || header.charCodeAt(before) === SEMICOLON;
}

/** The index after the suffix that begins at `dot`, or `dot` itself if none does. */
function suffixEnd(header: string, dot: number): number {
  const end = dot + SUFFIX_LENGTH;
  if (end > header.length) return dot;
  for (let index = dot + 1; index < end; index++) {
    if (!isBase64url(header.charCodeAt(index))) return dot;
  }
  return end;
}

function trim(header: string, from: number, to: number): string {
  let start = skipSpace(header, from);
  let end = to;
  if (start > end) start = end;
  while (end > start && isSpace(header.charCodeAt(end - 1))) end--;
  return header.slice(start, end);
}

function skipSpace(header: string, from: number): number {
  let index = from;
  while (isSpace(header.charCodeAt(index))) index++;
  return index;
}

function isSpace(unit: number): boolean {
  return unit === SPACE || unit === TAB;
}

function isBase64url(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x30 && unit <= 0x39) ||
    unit === 0x2d ||
    unit === 0x5f
  );
}
