// Writes vectors/token-v1.json (`npm run vectors`): what another implementation of the token, the
// payload, its pieces and the split key is checked against. The same input gives the same file.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import {
  encodePart,
  encodeTombstone,
  isPart,
  type Entry,
  type Part,
  type Tombstone,
} from "../src/cookie/part.ts";
import { sealKey } from "../src/core/key.ts";
import { createSigningKeyring } from "../src/crypto/keyring.ts";
import { encodePayload, type SessionPayload } from "../src/crypto/payload.ts";
import { sealForVector, vectorKeys, vectorStream } from "../tests/support/token-vectors.ts";

const created = Date.UTC(2026, 10, 22, 12, 0, 0);
const ends = { created, issued: 0, idleExpires: created + 86_400_000, deadline: Infinity };
const id = "AAECAwQFBgcICQoLDA0ODw";
const payloads: readonly (readonly [string, SessionPayload])[] = [
  ["one pair", { id, rev: 1, ...ends, data: new Map([["name", "alice"]]) }],
  ["empty key and value", { id, rev: 1, ...ends, data: new Map([["", ""]]) }],
  [
    "order of UTF-8 bytes, not of UTF-16 units",
    {
      id,
      rev: 2,
      ...ends,
      data: new Map([
        ["\u{1F36A}", "astral"],
        ["\uFF5E", "bmp"],
        ["a", "ascii"],
      ]),
    },
  ],
  [
    "NUL and __proto__",
    {
      id,
      rev: 1,
      ...ends,
      data: new Map([
        ["__proto__", "x"],
        ["\0", "\0"],
      ]),
    },
  ],
  [
    "both ends",
    { id, rev: 3, ...ends, deadline: created + 7 * 86_400_000, data: new Map([["a", "b"]]) },
  ],
  [
    "no ends",
    {
      id,
      rev: 1,
      created,
      issued: created + 60_000,
      idleExpires: Infinity,
      deadline: Infinity,
      data: new Map([["a", "b"]]),
    },
  ],
  ["bound", { id, rev: 4, ...ends, subject: "user 42", boundAt: created + 1234, data: new Map() }],
  [
    "a lifetime of its own",
    { id, rev: 1, ...ends, cookieExpires: 2_592_000, data: new Map([["a", "b"]]) },
  ],
  [
    "bound, persistent",
    {
      id,
      rev: 70,
      ...ends,
      cookieExpires: -1,
      subject: "é",
      boundAt: created,
      data: new Map([["v".repeat(200), "x".repeat(300)]]),
    },
  ],
  [
    "a credential of its own",
    { id, credential: "EBESExQVFhcYGRobHB0eHw", rev: 2, ...ends, data: new Map([["a", "b"]]) },
  ],
];

const toJson = (payload: SessionPayload) => ({
  ...payload,
  idleExpires: payload.idleExpires === Infinity ? null : payload.idleExpires,
  deadline: payload.deadline === Infinity ? null : payload.deadline,
  data: [...payload.data],
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const accept = payloads.map(([name, payload], index) => {
  const nonce = createHash("sha256").update(`nonce ${index}`).digest().subarray(0, 24);
  const bytes = encodePayload(payload);
  const token = sealForVector("session", "session", nonce, bytes);
  return {
    name,
    cookie: "session",
    purpose: "session",
    nonce: hex(nonce),
    payload: toJson(payload),
    payloadHex: hex(bytes),
    token,
  };
});

const [first] = accept;
if (first === undefined) throw new Error("there is no vector");
const whole = Buffer.from(first.token, "base64url");
const change = (at: number, value: number): string => {
  const bytes = Buffer.from(whole);
  bytes[at] = value;
  return bytes.toString("base64url");
};
const reject = [
  { name: "empty", token: "", reason: "malformed" },
  { name: "padding", token: `${first.token}=`, reason: "malformed" },
  { name: "standard alphabet", token: first.token.replace(/[-_]/, "+"), reason: "malformed" },
  {
    name: "a character too few for base64url",
    token: first.token.slice(0, -3),
    reason: first.token.length % 4 === 0 ? "malformed" : "forged",
  },
  {
    name: "shorter than an empty payload",
    token: whole.subarray(0, 44).toString("base64url"),
    reason: "malformed",
  },
  { name: "version 0", token: change(0, 0), reason: "version" },
  { name: "version 2", token: change(0, 2), reason: "version" },
  { name: "another key id", token: change(1, (whole[1] ?? 0) ^ 1), reason: "unknown-key" },
  {
    name: "a flipped bit of the nonce's first half",
    token: change(5, (whole[5] ?? 0) ^ 1),
    reason: "forged",
  },
  {
    name: "a flipped bit of the nonce's second half",
    token: change(28, (whole[28] ?? 0) ^ 0x80),
    reason: "forged",
  },
  {
    name: "a flipped bit of the ciphertext",
    token: change(30, (whole[30] ?? 0) ^ 1),
    reason: "forged",
  },
  {
    name: "a flipped bit of the tag",
    token: change(whole.length - 1, (whole.at(-1) ?? 0) ^ 1),
    reason: "forged",
  },
  { name: "a byte less", token: whole.subarray(0, -1).toString("base64url"), reason: "forged" },
  {
    name: "a byte more",
    token: Buffer.concat([whole, Buffer.of(0)]).toString("base64url"),
    reason: "forged",
  },
  {
    name: "sealed for another cookie",
    token: sealForVector(
      "session",
      "other",
      whole.subarray(5, 29),
      Buffer.from(first.payloadHex, "hex"),
    ),
    reason: "forged",
  },
  {
    name: "sealed as a piece",
    token: sealForVector(
      "piece",
      "session",
      whole.subarray(5, 29),
      Buffer.from(first.payloadHex, "hex"),
    ),
    reason: "forged",
  },
];

/** Everything before the pairs: id, rev 1, created, a day, no absolute end. */
const start = first.payloadHex.slice(0, -2 * "\x04name\x05alice".length);
const rejectPayloads = [
  { name: "empty", payloadHex: "" },
  { name: "cut within the id", payloadHex: start.slice(0, 30) },
  { name: "rev 0", payloadHex: `${start.slice(0, 32)}00${start.slice(34)}` },
  { name: "a varint longer than it must be", payloadHex: `${start}81006100` },
  { name: "a varint of 2^53", payloadHex: `${start}8080808080808010` },
  { name: "a varint without an end", payloadHex: `${start}ffffffffffffffffff` },
  { name: "a key longer than what is left", payloadHex: `${start}0561` },
  { name: "a key without a value", payloadHex: `${start}0161` },
  { name: "keys in another order", payloadHex: `${start}016200016100` },
  { name: "a key twice", payloadHex: `${start}016100016100` },
  { name: "an overlong form of UTF-8", payloadHex: `${start}02c08000` },
  { name: "a surrogate in UTF-8", payloadHex: `${start}03eda08000` },
  {
    name: "a bound session that says no subject",
    payloadHex: `${start.slice(0, 32)}0a${start.slice(34)}`,
  },
];

/** A payload in pieces of one set, each a cookie, cut after so many bytes each. */
function cut(payload: Buffer, set: string, lengths: readonly number[]) {
  const name = (place: number): string => `session.split${place}`;
  let from = 0;
  return lengths.map((length, index) => {
    const head = Buffer.concat([Buffer.from(set, "hex"), Buffer.of(index + 1, lengths.length)]);
    const slice = payload.subarray(from, (from += length));
    const nonce = createHash("sha256").update(`piece ${set} ${index}`).digest().subarray(0, 24);
    const token = sealForVector("piece", name(index + 1), nonce, Buffer.concat([head, slice]));
    return { name: name(index + 1), token };
  });
}

const bytes = Buffer.from(first.payloadHex, "hex");
const two = cut(bytes, "0001020304050607", [20, bytes.length - 20]);
const four = cut(bytes, "f0f1f2f3f4f5f6f7", [1, 1, 0, bytes.length - 2]);
const other = cut(bytes, "0001020304050608", [20, bytes.length - 20]);
const [, second] = two;
const [otherFirst] = other;
if (second === undefined || otherFirst === undefined) throw new Error("there is no piece");
const pieces = [
  { name: "two pieces", cookies: two, payload: first.payload, rejected: [] },
  { name: "in any order", cookies: two.toReversed(), payload: first.payload, rejected: [] },
  { name: "four pieces, one of them empty", cookies: four, payload: first.payload, rejected: [] },
  { name: "a place missing", cookies: [second], rejected: ["incomplete"] },
  {
    name: "pieces of two sets",
    cookies: [otherFirst, second],
    rejected: ["incomplete", "incomplete"],
  },
  {
    name: "a piece in another place's cookie",
    cookies: [{ name: "session.split1", token: second.token }],
    rejected: ["forged"],
  },
];

/** The stamps of these writes, and a whole session under them. */
const stamp = (created - Date.UTC(2025, 0, 1)) * 4096;
const partOf = (
  entries: readonly (readonly [string, Entry])[],
  more: Partial<Part> & { readonly rev?: number } = {},
): Part => {
  const { rev = 1, ...rest } = more;
  const data = new Map(
    entries.flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value] as const])),
  );
  const session = { id, rev, ...ends, data };
  return { session, nonce: "", floor: 0, covers: [], entries: new Map(entries), ...rest };
};
const contents: readonly (readonly [string, string, Part | Tombstone])[] = [
  ["the first write", "AAAAAA", partOf([["name", { value: "alice", stamp: stamp + 7 }]])],
  [
    "a write that covers two, and two stamps",
    "_-_-_w",
    partOf(
      [
        ["a", { value: "1", stamp: stamp + 4096 }],
        ["b", { value: "2", stamp }],
        ["c", { value: "", stamp: stamp + 4096 }],
      ],
      { covers: ["AAAAAA", "AAAAAQ"], floor: stamp - 1 },
    ),
  ],
  [
    "marks, and an epoch with a nonce",
    "MDAwMA",
    partOf(
      [
        ["\0", { value: "x", stamp: stamp + 1 }],
        ["", { value: undefined, stamp }],
        ["gone", { value: undefined, stamp: stamp + 1 }],
      ],
      { rev: 2, nonce: "EBESExQVFhcYGRobHB0eHw" },
    ),
  ],
  ["an empty session", "MTExMQ", partOf([])],
  [
    "a tombstone",
    "MjIyMg",
    { at: created, until: created + 3_600_000, dead: new Map([[id, Infinity]]) },
  ],
  [
    "a tombstone of two, without an end",
    "MzMzMw",
    {
      at: created,
      until: Infinity,
      dead: new Map([
        [id, Infinity],
        ["EBESExQVFhcYGRobHB0eHw", 3],
      ]),
    },
  ],
];
const stampsOf = (entries: Part["entries"], marks: boolean) =>
  Object.fromEntries(
    [...entries].flatMap(([key, { value, stamp: at }]) =>
      (value === undefined) === marks ? [[key, at] as const] : [],
    ),
  );
const toJsonContent = (content: Part | Tombstone) => {
  if (isPart(content)) {
    const { session, nonce, floor, covers, entries } = content;
    return {
      nonce: nonce === "" ? null : nonce,
      floor,
      covers,
      stamps: stampsOf(entries, false),
      marks: stampsOf(entries, true),
      session: toJson(session),
    };
  }
  const { at, until, dead } = content;
  const revs = Array.from(dead, ([dying, rev]) => [dying, rev === Infinity ? null : rev]);
  return { at, until: until === Infinity ? null : until, dead: revs };
};
const acceptParts = contents.map(([name, suffix, content], index) => {
  const nonce = createHash("sha256").update(`part ${index}`).digest().subarray(0, 24);
  const payload = isPart(content) ? encodePart(content) : encodeTombstone(content);
  const cookie = `session.${suffix}`;
  const token = sealForVector("part", cookie, nonce, payload);
  return {
    name,
    cookie,
    nonce: hex(nonce),
    part: toJsonContent(content),
    payloadHex: hex(payload),
    token,
  };
});
/** One stamp, no cover, one key whose place is the first: what stands before the session. */
const head = "0100" + "00" + "0107" + "0100" + "00";
const rejectParts = [
  { name: "empty", payloadHex: "" },
  { name: "an unknown kind", payloadHex: `02${head.slice(2)}${first.payloadHex}` },
  { name: "a place that no stamp has", payloadHex: `010000010701010000${first.payloadHex}` },
  { name: "more places than keys", payloadHex: `01000001070200000000${first.payloadHex}` },
  { name: "no place for a key", payloadHex: `0100000107000000${first.payloadHex}` },
  { name: "a cover that is cut", payloadHex: "010001000000" },
  { name: "a billion stamps", payloadHex: "0100008094ebdc03" },
  { name: "a session that isn't canonical", payloadHex: `${head}${first.payloadHex}00` },
  { name: "a tombstone that is cut", payloadHex: "006b02d94090" },
];

const row = { selector: id, generation: 1, issued: created };
const keyOf = (cookie: string, more: Partial<typeof row> = {}): string =>
  sealKey(createSigningKeyring({ signingKey: vectorKeys.signingKey }), cookie, { ...row, ...more });
const split = Buffer.from(keyOf("session"), "base64url");
const changeKey = (at: number, mask: number): string => {
  const changed = Buffer.from(split);
  changed[at] = (changed[at] ?? 0) ^ mask;
  return changed.toString("base64url");
};
const splitKeys = {
  accept: [
    { name: "the first", cookie: "session", ...row, key: keyOf("session") },
    { name: "another cookie", cookie: "__Host-Http-app", ...row, key: keyOf("__Host-Http-app") },
    {
      name: "the last generation, the last second",
      cookie: "session",
      ...row,
      generation: 0xffff_ffff,
      issued: 0xffff_ffff * 1000,
      key: keyOf("session", { generation: 0xffff_ffff, issued: 0xffff_ffff * 1000 }),
    },
  ],
  reject: [
    { name: "empty", key: "", reason: "malformed" },
    { name: "padding", key: `${keyOf("session").slice(0, 59)}=`, reason: "malformed" },
    { name: "a character less", key: keyOf("session").slice(0, 59), reason: "malformed" },
    { name: "version 2", key: changeKey(0, 3), reason: "version" },
    { name: "another key id", key: changeKey(4, 1), reason: "unknown-key" },
    { name: "a flipped bit of the selector", key: changeKey(5, 1), reason: "forged" },
    { name: "a flipped bit of the generation", key: changeKey(24, 1), reason: "forged" },
    { name: "a flipped bit of the instant", key: changeKey(28, 1), reason: "forged" },
    { name: "a flipped bit of the tag", key: changeKey(44, 1), reason: "forged" },
    { name: "signed for another cookie", key: keyOf("other"), reason: "forged" },
  ],
};

writeFileSync(
  "vectors/token-v1.json",
  `${JSON.stringify(
    {
      format: "docs/token-format.md",
      keys: vectorKeys,
      accept,
      reject,
      rejectPayloads,
      pieces,
      parts: { accept: acceptParts, rejectPayloads: rejectParts },
      splitKeys,
      accumulated: {
        description:
          "a SHAKE-128 stream of empty input gives for each round a nonce of 24 bytes, one length byte and as many bytes of payload; each is sealed for the cookie session; SHA-256 over all tokens, each followed by a line feed",
        iterations: 10_000,
        sha256: vectorStream(10_000),
      },
    },
    null,
    2,
  )}\n`,
);
