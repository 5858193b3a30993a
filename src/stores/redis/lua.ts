// The scripts on the server: a commit on a session's hash, and a claim in a subject's index. Each
// touches one key, so a cluster accepts them too. They mirror applyChange (store/change.ts).
//
// A session is one hash. Our fields have names of one letter; a user's key has ":" before it, so
// none can be taken for one of ours:
//
//   h      "rev generation expires nonce"; expires in Unix ms or "inf"; the nonce is of the last
//          create, barrier, meta, subject or update with `expect`: a client that sends a script twice
//          applies it once, and takes its own write for no mismatch
//   m      the engine's notes
//   u      "claim bound subject" of a bound session: expires is never beyond bound
//   :key   a value
//
// A value of m or u that is too long for a listpack continues in m1, m2 and so on: one longer value
// would turn the hash into a hash table of twice the size.
//
// A subject's index is a sorted set: member "id:claim", score bound. ORDER: the member is added before
// the hash names it and removed after the hash has ceased to, so a live bound session always has its
// member. A claim is the server's time in µs, and a hash accepts it for LEASE_MS only: an older member
// without a session can never get one.

/** How long after a claim a session may be bound by it: a minute, and clocks 5 minutes apart. */
const LEASE_MS = 360_000;
/** An older member without a session is stale: the lease, clocks 5 minutes apart, and a margin. */
export const SETTLED_MS = 900_000;
/** A member outlives its session's end by this much, for clocks that differ; see LEASE_MS. */
export const MARGIN_MS = 600_000;
/** The server's default of hash-max-listpack-value, in bytes. */
const PIECE = 64;
/** Lua's stack holds some 8,000 values. */
const BATCH = 4000;

const prelude = `
local function number(text)
  if text == "inf" then return math.huge end
  return tonumber(text)
end
local function text(number)
  if number == math.huge then return "inf" end
  return string.format("%.0f", number)
end
local key = KEYS[1]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Answers of {@link commitScript}: the first element of its reply. */
const REFUSED = 0;
export const APPLIED = 1;
/** Nothing was done: the index must be claimed to (at least) the second element first. */
export const UNCLAIMED = 2;

/**
 * ARGV[1] "op rev ttl deadline nonce flags dels": op c(reate), u(pdate), d(estroy), or x: destroy if
 * the subject is ARGV[2]. Flags: c(lear), b(ump), l: the end may come earlier, m(eta), s(ubject),
 * n(o subject), k: the same subject under another claim; w: write in any case, for WAIT to have
 * something to wait for; e and a number: so many keys are expected to hold something.
 * Then those keys, each with "=" and its value, or with "-" for none; as flagged, the meta and
 * "claim bound subject"; then the keys to delete, then keys and values.
 * Gives { APPLIED, rev, generation, expires, the u that is no more }, { REFUSED },
 * or { UNCLAIMED, expires, subject }.
 */
export const commitScript: string = `${prelude}
local op, rev, ttl, deadline, nonce, flags, dels =
  string.match(ARGV[1], "^(%a) (%d+) (%S+) (%S+) (%S+) (%S+) (%d+)$")
local function has(flag) return string.find(flags, flag, 1, true) ~= nil end
local expected = tonumber(string.match(flags, "e(%d+)") or 0)
local at = 2
local function take()
  at = at + 1
  return ARGV[at - 1]
end
local function parse(binding)
  local claim, bound, subject = string.match(binding, "^(%d+) (%S+) (.*)$")
  if claim and number(bound) then return tonumber(claim), number(bound), subject end
end

local function pieceOf(name, index) return index == 0 and name or name .. index end
local function gather(name, whole)
  local index = 1
  local piece = redis.call("HGET", key, pieceOf(name, index))
  while piece do
    whole, index = whole .. piece, index + 1
    piece = redis.call("HGET", key, pieceOf(name, index))
  end
  return whole
end
local function scatter(name, value, fields)
  local index, from = 0, 1
  repeat
    local to = math.min(from + ${PIECE - 1}, #value)
    -- Never inside a character of UTF-8: clients decode each field by itself.
    while to > from and to < #value and math.floor(string.byte(value, to + 1) / 64) == 2 do
      to = to - 1
    end
    fields[#fields + 1] = pieceOf(name, index)
    fields[#fields + 1] = string.sub(value, from, to)
    index, from = index + 1, to + 1
  until from > #value
  return index
end
local function drop(name, index)
  while redis.call("HDEL", key, pieceOf(name, index)) == 1 do index = index + 1 end
end

local found = redis.pcall("HMGET", key, "h", "u")
local head, old = "", ""
if not found.err then
  head = found[1] or ""
  old = found[2] and gather("u", found[2]) or ""
end
local oldRev, oldGeneration, oldExpires, oldNonce =
  string.match(head, "^(%d+) (%d+) (%S+) (%S+)$")
local expires = oldRev and number(oldExpires)
local live = expires ~= nil and expires > now
local _, _, oldSubject = parse(old)
if not oldSubject then old = "" end

if op == "d" or op == "x" then
  if op == "x" and not (live and oldSubject == ARGV[2]) then return { ${REFUSED} } end
  if redis.call("DEL", key) == 0 and has("w") then
    redis.call("SET", key, "")
    redis.call("DEL", key)
  end
  return { ${APPLIED}, "0", "0", "0", old }
end

local function again()
  if has("w") then redis.call("HSET", key, "h", head) end
  return { ${APPLIED}, oldRev, oldGeneration, oldExpires, "" }
end
if op == "c" and live then
  if oldNonce == nonce then return again() end
  return { ${REFUSED} }
end
if op == "u" then
  if not live then return { ${REFUSED} } end
  if oldRev ~= rev then
    if oldNonce == nonce and tonumber(oldRev) == rev + 1 then return again() end
    return { ${REFUSED} }
  end
  if expected > 0 and oldNonce == nonce then return again() end
  for _ = 1, expected do
    local value = redis.call("HGET", key, take())
    if (value and "=" .. value or "-") ~= take() then return { ${REFUSED} } end
  end
end

local barrier = has("c") or has("b")
local fenced = op == "c" or barrier or has("m") or has("s") or has("n")
local ends = now + number(ttl)
if op == "u" and not (barrier or has("l")) then ends = math.max(expires, ends) end
ends = math.min(ends, number(deadline))
local newExpires, newRev, newGeneration = text(ends), "1", "1"
if op == "u" then
  newRev = fenced and text(oldRev + 1) or oldRev
  newGeneration = has("b") and text(oldGeneration + 1) or oldGeneration
end
local meta = has("m") and take()
local claims = has("s") or has("k")
local new = op == "u" and old or ""
if claims then new = take() elseif has("n") then new = "" end
if new ~= "" then
  local claim, bound, subject = parse(new)
  if ends > bound or (claims and now - claim / 1000 > ${LEASE_MS}) then
    return { ${UNCLAIMED}, newExpires, subject }
  end
end
local answer = { ${APPLIED}, newRev, newGeneration, newExpires, new ~= old and old or "" }
if ends <= now then
  redis.call("DEL", key)
  return answer
end

local fresh = op == "c" or has("c")
if op == "u" and fresh then
  meta = meta or gather("m", redis.call("HGET", key, "m") or "")
  redis.call("DEL", key)
elseif op == "c" and redis.call("EXISTS", key) == 1 then
  -- Expired, or not ours. A DEL for nothing would let the rest through on a server that is full.
  redis.call("DEL", key)
end
local function each(command, from, to)
  for start = from, to, ${BATCH} do
    redis.call(command, key, unpack(ARGV, start, math.min(start + ${BATCH} - 1, to)))
  end
end
local function keep()
  local fields = {}
  local newHead = newRev .. " " .. newGeneration .. " " .. newExpires .. " " ..
    ((fenced or expected > 0) and nonce or oldNonce)
  if fresh or newHead ~= head or has("w") then fields = { "h", newHead } end
  local metaPieces = meta and scatter("m", meta, fields)
  local rebinds = new ~= "" and (fresh or new ~= old)
  local bindingPieces = rebinds and scatter("u", new, fields)
  if #fields > 0 then redis.call("HSET", key, unpack(fields)) end
  if fresh then return end
  if metaPieces then drop("m", metaPieces) end
  if bindingPieces then drop("u", bindingPieces) elseif new == "" then drop("u", 0) end
end
local function expire()
  if newExpires ~= "inf" then
    if fresh or newExpires ~= oldExpires then redis.call("PEXPIREAT", key, newExpires) end
  elseif not fresh and oldExpires ~= "inf" then
    redis.call("PERSIST", key)
  end
end
if not fresh then each("HDEL", at, at + dels - 1) end
each("HSET", at + dels, #ARGV)
-- A renewal, first PEXPIREAT, goes through on a server that is full; a HSET first wouldn't.
if fresh then
  keep()
  expire()
else
  expire()
  keep()
end
return answer
`;

/**
 * Claims a place in a subject's index. ARGV: the session's id, and "base add deadline": the member
 * stays until base ("now" is the server's) + add, in ms, but not beyond the deadline.
 * Gives { claim, bound }.
 */
export const claimScript: string = `${prelude}
local base, add, deadline = string.match(ARGV[2], "^(%S+) (%S+) (%S+)$")
local claim = time[1] .. string.format("%06d", time[2])
local bound = math.min((base == "now" and now or number(base)) + number(add), number(deadline))
redis.call("ZADD", key, text(bound), ARGV[1] .. ":" .. claim)
redis.call("ZREMRANGEBYSCORE", key, "-inf", text(now - ${MARGIN_MS}))
local longest = number(redis.call("ZRANGE", key, -1, -1, "WITHSCORES")[2])
if longest == math.huge then
  redis.call("PERSIST", key)
else
  redis.call("PEXPIREAT", key, text(longest + ${MARGIN_MS}))
end
return { claim, text(bound) }
`;

/** Gives { the time as claims have it, the members of a subject's index }. */
export const membersScript: string = `${prelude}
return { time[1] .. string.format("%06d", time[2]), redis.call("ZRANGE", key, 0, -1) }
`;
