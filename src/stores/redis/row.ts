// A session's hash on its way: encodes a change as a script's arguments, and decodes a reply. It knows
// the fields and arguments of stores/redis/lua.ts, and no client.
import type { SessionChange, StoredSession } from "../../store/contract.ts";

/** The content of a hash. */
export interface RedisRow {
  readonly stored: StoredSession;
  /** The subject's binding; undefined: not bound. */
  readonly binding: Binding | undefined;
}

/** The field u of a bound session. */
export interface Binding {
  /** The claim in the subject's index: the server's time in µs. */
  readonly claim: string;
  readonly subject: string;
}

/** Stands before a user's key, which sets it apart from our fields. */
const KEY_MARK = ":";
/** Before a value that a key is expected to hold. */
const VALUE_MARK = "=";
/** For a key that is expected to be absent. */
const ABSENT = "-";
/** The last instant that a Date can hold, Unix ms: what is beyond has no end. */
const LAST_INSTANT = 8_640_000_000_000_000;

/**
 * The session in HGETALL's reply: a list of pairs, an object or a Map, depending on the client.
 * @returns undefined for no hash, and for a malformed one (S1).
 */
export function readRow(reply: unknown): RedisRow | undefined {
  const data = new Map<string, string>();
  const ours = new Map<string, string>();
  for (const [name, value] of pairsOf(reply)) {
    const field = textOf(name);
    if (field.startsWith(KEY_MARK)) data.set(field.slice(KEY_MARK.length), textOf(value));
    else ours.set(field, textOf(value));
  }
  const head = /^(\d+) (\d+) (inf|\d+) \S+$/.exec(ours.get("h") ?? "");
  if (head === null) return undefined;
  const [, rev, generation, expires] = head;
  return {
    stored: {
      data,
      rev: Number(rev),
      generation: Number(generation),
      expires: instantOf(expires),
      meta: gather(ours, "m"),
    },
    binding: readBinding(gather(ours, "u")),
  };
}

/** A field of ours, with its continuations. */
function gather(fields: ReadonlyMap<string, string>, name: string): string {
  let whole = "";
  let piece = fields.get(name);
  for (let index = 1; piece !== undefined; index++) {
    whole += piece;
    piece = fields.get(name + index);
  }
  return whole;
}

/** The field u, from a hash or from a script's reply. */
export function readBinding(text: string): Binding | undefined {
  const [, claim, subject] = /^(\d+) \S+ (.*)$/s.exec(text) ?? [];
  return claim === undefined || subject === undefined ? undefined : { claim, subject };
}

/** Unix milliseconds of a script's text; Infinity: never. */
export function instantOf(text: unknown): number {
  return text === "inf" ? Infinity : Number(text);
}

/** A script's text for milliseconds. */
export function textOfMs(ms: number): string {
  return ms > LAST_INSTANT ? "inf" : String(Math.ceil(ms));
}

/** A string of a reply, also from a client that maps strings to Buffers. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array)
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(value);
  return String(value);
}

/** The arguments of a commit beside the change. */
export interface CommitExtras {
  /** Names this call: a client that sends it twice applies it once. */
  readonly nonce: string;
  /** "claim bound subject" where the index was claimed. */
  readonly binding: string | undefined;
  /** True: it writes in any case, so that WAIT has a write to wait for. */
  readonly writes: boolean;
}

/** The arguments of the commit script for a change. */
export function encodeCommit(change: SessionChange, extras: CommitExtras): string[] {
  const { op, set } = change;
  const isUpdate = op === "update";
  const del = isUpdate ? change.del : [];
  const expect = isUpdate ? change.expect : undefined;
  const meta = op === "create" ? (change.meta ?? "") : change.meta;
  let flags = extras.writes ? "-w" : "-";
  if (isUpdate && change.clear === true) flags += "c";
  if (isUpdate && change.bump === true) flags += "b";
  if (isUpdate && change.shrinks === true) flags += "l";
  if (meta !== undefined) flags += "m";
  if (typeof change.subject === "string") flags += "s";
  else if (extras.binding !== undefined) flags += "k";
  else if (isUpdate && change.subject === null) flags += "n";
  if (expect !== undefined && expect.size > 0) flags += `e${expect.size}`;
  const rev = isUpdate && Number.isSafeInteger(change.rev) ? Math.max(change.rev ?? 0, 0) : 0;
  const args = [
    `${op.charAt(0)} ${rev} ${textOfMs(change.ttl)} ${textOfMs(change.deadline)} ` +
      `${extras.nonce} ${flags} ${del.length}`,
  ];
  for (const [key, value] of expect ?? []) {
    args.push(KEY_MARK + key, value === undefined ? ABSENT : VALUE_MARK + value);
  }
  if (meta !== undefined) args.push(meta);
  if (typeof change.subject === "string") args.push(extras.binding ?? `0 0 ${change.subject}`);
  else if (extras.binding !== undefined) args.push(extras.binding);
  for (const key of del) args.push(KEY_MARK + key);
  for (const [key, value] of set) args.push(KEY_MARK + key, value);
  return args;
}

/** The arguments of a destroy; with a subject it applies only to a session of that subject. */
export function encodeDestroy(writes: boolean, subject?: string): string[] {
  const head = `${subject === undefined ? "d" : "x"} 0 0 0 - ${writes ? "-w" : "-"} 0`;
  return subject === undefined ? [head] : [head, subject];
}

function pairsOf(reply: unknown): Iterable<readonly [unknown, unknown]> {
  if (reply instanceof Map) return reply;
  if (!Array.isArray(reply)) {
    return typeof reply === "object" && reply !== null ? Object.entries(reply) : [];
  }
  const pairs: [unknown, unknown][] = [];
  for (let index = 0; index + 1 < reply.length; index += 2) {
    pairs.push([reply[index], reply[index + 1]]);
  }
  return pairs;
}
