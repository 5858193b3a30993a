// Whole sessions in a token: what each opens to, which tokens don't open, and which payloads are not
// canonical.
import { encodePayload, type SessionPayload } from "../../src/crypto/payload.ts";
import { sealForVector } from "../../tests/support/token-vectors.ts";
import { created, ends, hex, id, nonceFor, toJson } from "./session.ts";

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
  [
    "an idle timeout of its own",
    { id, rev: 1, ...ends, sessionExpires: 1800, data: new Map([["a", "b"]]) },
  ],
  [
    "all that a session can have of its own",
    {
      id,
      credential: "EBESExQVFhcYGRobHB0eHw",
      rev: 5,
      ...ends,
      deadline: created + 7 * 86_400_000,
      cookieExpires: 0,
      sessionExpires: 1,
      subject: "user 42",
      boundAt: created,
      data: new Map([["a", "b"]]),
    },
  ],
];

/** What opens, and what it is. */
export const accept = payloads.map(([name, payload], index) => {
  const nonce = nonceFor(`nonce ${index}`);
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

const [one] = accept;
if (one === undefined) throw new Error("there is no vector");
/** The vector that others are made of. */
export const first = one;

const whole = Buffer.from(first.token, "base64url");
const change = (at: number, value: number): string => {
  const bytes = Buffer.from(whole);
  bytes[at] = value;
  return bytes.toString("base64url");
};

/** What doesn't open for the cookie `session`, and why. */
export const reject = [
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
/** Payloads that no session has. */
export const rejectPayloads = [
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
  {
    name: "an idle timeout of its own that is 0",
    payloadHex: `${start.slice(0, 32)}00${start.slice(32)}00`,
  },
  {
    name: "an idle timeout of its own that is missing",
    payloadHex: `${start.slice(0, 32)}00${start.slice(32)}`,
  },
  {
    name: "two zeros before the revision",
    payloadHex: `${start.slice(0, 32)}0000${start.slice(32)}8807`,
  },
];
