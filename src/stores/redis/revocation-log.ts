// The log of revocations in Redis or Valkey: a stream that every process follows. Both scripts touch
// keys of one hash slot, so a cluster takes them too. It knows no session and no timer.
//
// An entry of the stream is one field, "r", with "kind at until before exceptBefore word id".
// Instants are in Unix ms of the server. The word is the session that a subject's entry spares, or
// the nonce of a credential's first entry; "-" is none. Ids of the stream go by the server's time. The stream has
// one entry for each subject and each credential; a hash for each kind says which.
import type {
  AppendedRevocation,
  RevocationEntry,
  RevocationKind,
  RevocationLog,
  RevocationPage,
  RevocationRecord,
} from "../../revocations/revocations.ts";
import { MAX_SKEW, SECOND } from "../../base/time.ts";
import { StoreError } from "../../errors.ts";
import type { RedisConnection, ReplicationWait } from "./connection.ts";
import { textOf } from "./row.ts";
import { mustBeReplicated, RedisScript } from "./script.ts";

/** Entries of one answer. */
const PAGE = 2000;
/**
 * How far before the last place a poll begins where the entry of that place is gone, in milliseconds: a
 * new master may have lost it, and its clock may be behind. Where the entry exists, so do all before
 * it, and all later ones come after it.
 */
const OVERLAP = 10 * SECOND;
/** Entries that each new one looks at, so that the stream shrinks without a timer. */
const TRIM = 8;

const time = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** For each kind the hash from ids to their one entry; sessions need none. */
const places = `
local places = { subject = KEYS[2], credential = KEYS[3] }
`;

const trim = `
local function trim(count)
  local gone = 0
  for _, entry in ipairs(redis.call("XRANGE", KEYS[1], "-", "+", "COUNT", count)) do
    local kind, ends, id = string.match(entry[2][2], "^(%l+) %d+ (%d+) %d+ %d+ %S+ (.*)$")
    if kind and tonumber(ends) > now then break end
    redis.call("XDEL", KEYS[1], entry[1])
    local index = kind and places[kind]
    if index and redis.call("HGET", index, id) == entry[1] then redis.call("HDEL", index, id) end
    gone = gone + 1
  end
  return gone
end
`;

/**
 * ARGV: kind, ttl, before or "", the word, id. Gives the record. It mirrors toRecord and
 * mergeRecords; the word of a credential stays the first entry's.
 */
const appending = new RedisScript(`${time}${places}${trim}
local kind, word, id = ARGV[1], ARGV[4], ARGV[5]
local at, ends, before, exceptBefore = now, now + ARGV[2], 0, 0
if kind == "subject" then
  before = now + ${MAX_SKEW}
  if ARGV[3] ~= "" and tonumber(ARGV[3]) < now then before = tonumber(ARGV[3]) end
end
local index = places[kind]
local place = index and redis.call("HGET", index, id)
local known = place and redis.call("XRANGE", KEYS[1], place, place)[1]
local a, u, b, eb, w
if known then
  a, u, b, eb, w = string.match(known[2][2], "^%l+ (%d+) (%d+) (%d+) (%d+) (%S+) ")
end
if a then
  a, u, b, eb = tonumber(a), tonumber(u), tonumber(b), tonumber(eb)
  if kind == "credential" then
    word = w
  else
    if before >= b - ${MAX_SKEW} then before = math.max(before, b + 1) end
    if w ~= word then exceptBefore = math.min(b, before) end
    exceptBefore = math.max(exceptBefore, eb)
    -- "-" stands for nobody, and comes first.
    if b > before or (b == before and w ~= "-" and (word == "-" or w > word)) then word = w end
  end
  at, ends, before = math.min(at, a), math.max(ends, u), math.max(before, b)
  redis.call("XDEL", KEYS[1], place)
end
-- Not by %s, which ends at a NUL.
local record = kind .. string.format(" %.0f %.0f %.0f %.0f ", at, ends, before, exceptBefore) .. word .. " " .. id
place = redis.call("XADD", KEYS[1], "*", "r", record)
if index then redis.call("HSET", index, id, place) end
trim(${TRIM})
return record
`);

/**
 * ARGV: the fallback, the last place and its record, the count. Gives now, then ids and records: those
 * after the last place if its entry exists, else those from the fallback on, or the whole stream where
 * it ends before the last place.
 */
const reading = new RedisScript(`${time}
local from, reached = ARGV[1], ARGV[2]
local known = reached ~= "" and redis.call("XRANGE", KEYS[1], reached, reached)[1]
local function parts(place)
  local ms, seq = string.match(place, "^(%d+)-(%d+)$")
  return tonumber(ms), tonumber(seq)
end
if known and known[2][2] == ARGV[3] then
  from = "(" .. reached
elseif reached ~= "" then
  local ms, seq = parts(reached)
  local newest = redis.call("XREVRANGE", KEYS[1], "+", "-", "COUNT", 1)[1]
  local newMs, newSeq = 0, 0
  if newest then newMs, newSeq = parts(newest[1]) end
  if newMs < ms or (newMs == ms and newSeq < seq) then from = "-" end
end
local answer = { string.format("%.0f", now) }
for _, entry in ipairs(redis.call("XRANGE", KEYS[1], from, "+", "COUNT", ARGV[4])) do
  answer[#answer + 1] = entry[1]
  answer[#answer + 1] = entry[2][2]
end
return answer
`);

const trimming = new RedisScript(`${time}${places}${trim} return trim(tonumber(ARGV[1]))`);

const RECORD = /^(session|credential|subject) (\d+) (\d+) (\d+) (\d+) (\S+) ([^]*)$/;
/** The word of an entry without one. */
const NO_WORD = "-";
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A stream of revocations. */
export class RedisRevocationLog implements RevocationLog {
  readonly #page: number;
  readonly #connection: RedisConnection;
  readonly #wait: ReplicationWait | undefined;
  /** The same text in braces: a cluster keeps these keys in one slot. */
  readonly #keys: { readonly key: string; readonly beside: readonly string[] };

  /** @param page - entries of one answer. */
  constructor(
    connection: RedisConnection,
    prefix: string,
    wait: ReplicationWait | undefined,
    page: number = PAGE,
  ) {
    this.#page = page;
    this.#connection = connection;
    this.#wait = wait;
    this.#keys = {
      key: `${prefix}{r}:log`,
      beside: [`${prefix}{r}:subjects`, `${prefix}{r}:credentials`],
    };
  }

  /** @throws {StoreError} ERR_SESSION_STORE_UNREPLICATED, or an error of the client. */
  async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    const { kind, id, ttl, before, except, nonce } = entry;
    const isCredential = kind === "credential";
    const instant = before === undefined ? "" : String(Math.floor(before));
    const word = (isCredential ? nonce : except) ?? NO_WORD;
    const args = [kind, String(Math.ceil(ttl)), instant, word, id];
    const call = { ...this.#keys, args, wait: this.#wait };
    const { reply, replicas } = await appending.run(this.#connection, call);
    mustBeReplicated(replicas, this.#wait, "revoke");
    const text = textOf(reply);
    const isFirst = !isCredential || (nonce !== undefined && wordOf(text) === nonce);
    return { record: readRecord(text) ?? fail(), isFirst };
  }

  async read(cursor: string | undefined): Promise<RevocationPage> {
    const start = startOf(cursor);
    const args = [start.from, start.reached, start.record, String(this.#page)];
    const { reply } = await reading.run(this.#connection, { ...this.#keys, args });
    const [now, ...entries] = (reply as unknown[]).map(textOf);
    const records: RevocationRecord[] = [];
    let { place, record: last } = start;
    for (let index = 0; index < entries.length; index += 2) {
      [place = "", last = ""] = entries.slice(index, index + 2);
      const record = readRecord(last);
      if (record !== undefined) records.push(record);
    }
    const more = entries.length === this.#page * 2;
    const next = `${more ? MORE : ""}${place} ${last}`;
    return { records, cursor: next, more, now: Number(now) };
  }

  async sweep(limit: number): Promise<number> {
    const call = { ...this.#keys, args: [String(limit)] };
    return Number((await trimming.run(this.#connection, call)).reply);
  }
}

/** Marks a cursor inside an answer of several reads, which don't overlap. */
const MORE = "(";

/** Where a read begins, and the entry that must still exist for that; "": none must. */
interface ReadStart {
  readonly from: string;
  readonly reached: string;
  /** The last place that was read, with its record, since a restored log can repeat places. */
  readonly place: string;
  readonly record: string;
}

/** @param cursor - a place and its record, after the mark of an unfinished answer. */
function startOf(cursor: string | undefined): ReadStart {
  if (cursor === undefined) return { from: "-", reached: "", place: "0-0", record: "" };
  const end = cursor.indexOf(" ");
  const place = cursor.slice(0, end);
  const record = cursor.slice(end + 1);
  if (place.startsWith(MORE)) return { from: place, reached: "", place: place.slice(1), record };
  const ms = Number(place.slice(0, place.indexOf("-")));
  return { from: String(Math.max(0, ms - OVERLAP)), reached: place, place, record };
}

function wordOf(text: string): string | undefined {
  return RECORD.exec(text)?.[6];
}

/** @returns undefined for an entry that we didn't write. */
function readRecord(text: string): RevocationRecord | undefined {
  const [, kind, at, until, before, exceptBefore, word, id = ""] = RECORD.exec(text) ?? [];
  if (kind === undefined) return undefined;
  return {
    kind: kind as RevocationKind,
    id: ownText(id),
    at: Number(at),
    until: Number(until),
    before: Number(before),
    except: kind === "subject" && word !== NO_WORD ? word : undefined,
    exceptBefore: Number(exceptBefore),
  };
}

/** A copy of the text: a slice would keep the whole string in memory. */
function ownText(text: string): string {
  return decoder.decode(encoder.encode(text));
}

function fail(): never {
  const message = "the server gave back something else than the entry that it was to take";
  throw new StoreError("ERR_SESSION_STORE_ANSWER", "revoke", message);
}
