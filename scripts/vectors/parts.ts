// Merging cookies: parts, tombstones, and payloads that are neither.
import {
  encodePart,
  encodeTombstone,
  isPart,
  type Entry,
  type Part,
  type Tombstone,
} from "../../src/merge/part.ts";
import { sealForVector } from "../../tests/support/token-vectors.ts";
import { created, ends, hex, id, nonceFor, toJson } from "./session.ts";
import { first } from "./tokens.ts";

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
const accept = contents.map(([name, suffix, content], index) => {
  const nonce = nonceFor(`part ${index}`);
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
const head = "0100000107010000";
const rejectPayloads = [
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

/** What the vectors hold of them. */
export const parts = { accept, rejectPayloads };
