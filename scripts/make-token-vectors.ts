// Writes vectors/token-v1.json: what another implementation of the token, the payload and the split
// key is checked against. Deterministic: the same input gives the same file.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
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

writeFileSync(
  "vectors/token-v1.json",
  `${JSON.stringify(
    {
      format: "docs/token-format.md",
      keys: vectorKeys,
      accept,
      reject,
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
