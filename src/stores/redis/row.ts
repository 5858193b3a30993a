// A session's hash as it travels: a change into a script's arguments, a reply into a session. Of
// stores/redis/lua.ts it knows the fields and the arguments, nothing of a client.
import type { SessionChange, StoredSession } from "../../store/contract.ts";

/** What a hash holds. */
export interface RedisRow {
  readonly stored: StoredSession;
  /** Whose it is; undefined: nobody's. */
  readonly binding: Binding | undefined;
}

/** The field u of a bound session. */
export interface Binding {
  /** The claim in the subject's index: the server's time in µs. */
  readonly claim: string;
  readonly subject: string;
}

/** Before a user's key, so that it is none of our fields. */
const KEY_MARK = ":";
/** Before a value that a key is expected to hold. */
const VALUE_MARK = "=";
/** For a key that is expected to be absent. */
const ABSENT = "-";
/** The last instant that a Date can hold, Unix ms: what is beyond has no end. */
const LAST_INSTANT = 8_640_000_000_000_000;

/**
 * What HGETALL gave: a list of pairs, an object or a Map, by the client.
 * @returns undefined for no hash, and for one that isn't ours any more (S1).
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

/** A field of ours with what goes on in the fields behind it. */
function gather(fields: ReadonlyMap<string, string>, name: string): string {
  let whole = "";
  let piece = fields.get(name);
  for (let index = 1; piece !== undefined; index++) {
    whole += piece;
    piece = fields.get(name + index);
  }
  return whole;
}

/** The field u, or what a script says of it. */
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

/** What a client gave for a string, whatever it was told to map strings to. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array)
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(value);
  return String(value);
}

/** What of a commit isn't the change itself. */
export interface CommitExtras {
  /** Names this call: a client that sends it twice applies it once. */
  readonly nonce: string;
  /** "claim bound subject" where the index was claimed. */
  readonly binding: string | undefined;
  /** Whether it writes in any case, for WAIT to have something to wait for. */
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

/** The arguments of a destroy; with a subject only of a session that is that subject's. */
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
