// The values of a race: each is made only from its key and the mark of its save, so that a reader knows the
// writer, and recognizes a damaged value.

/** The lengths of values' fillers: most are short, some long, a few very long. */
const LENGTHS = [0, 3, 7, 12, 20, 31, 60, 300, 4000] as const;

/** Characters that stores have broken: NUL, quotes, a backslash, non-ASCII ones, an astral one. */
const filler = Array.from("\0'\"\\ %é\u2028\u{1F36A}{}[]:,x");

/** The value that the save `mark` writes to `key`. */
export function valueOf(mark: string, key: string): string {
  const hash = hashOf(`${mark} ${key}`);
  const length = LENGTHS[hash % LENGTHS.length] ?? 0;
  let text = `${mark} ${key} `;
  for (let index = 0; index < length; index++) {
    text += filler[(hash + index * 7) % filler.length] ?? "";
  }
  return text;
}

/** The mark of a value that was read; it begins with "?" if no save can have written the value. */
export function markOf(key: string, value: unknown): string {
  if (typeof value !== "string") return `?${typeof value}`;
  const [mark = ""] = value.split(" ", 1);
  if (value === valueOf(mark, key)) return mark;
  return `?${value.slice(0, 24)} (${value.length} characters)`;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
