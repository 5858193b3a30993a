// XAES-256-GCM against the specification's own vectors, on node:crypto and on @noble, which seal and
// open each other's messages.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as node from "../../src/crypto/primitives-node.ts";
import * as portable from "../../src/crypto/primitives-portable.ts";
import { xaesKey, xaesOpen, xaesSeal, type XaesPrimitives } from "../../src/crypto/xaes.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/xaes-256-gcm.json", import.meta.url), "utf8"),
) as {
  readonly published: readonly Record<
    "key" | "nonce" | "plaintext" | "aad" | "ciphertextAndTag",
    string
  >[];
  readonly accumulated: {
    readonly runs: readonly { iterations: number; shake128_256bit: string }[];
  };
};
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString("hex");

interface Xaes {
  readonly xaesKey: typeof xaesKey;
  readonly xaesSeal: typeof xaesSeal;
  readonly xaesOpen: typeof xaesOpen;
}

/** The three functions over other primitives than the library's own. */
function over(primitives: XaesPrimitives): Xaes {
  const prepare = (bytes: Uint8Array): ReturnType<typeof xaesKey> => xaesKey(bytes, primitives);
  return {
    xaesKey: prepare,
    xaesSeal: (key, ...rest) => xaesSeal(key instanceof Uint8Array ? prepare(key) : key, ...rest),
    xaesOpen: (key, ...rest) => xaesOpen(key instanceof Uint8Array ? prepare(key) : key, ...rest),
  };
}

const implementations: readonly (readonly [string, Xaes])[] = [
  ["node:crypto", over(node)],
  ["@noble", over(portable)],
  ["#crypto", { xaesKey, xaesSeal, xaesOpen }],
];

describe.each(implementations)("XAES-256-GCM on %s", (_name, xaes) => {
  test.each(vectors.published)("the published vector with key $key", (vector) => {
    const [key, nonce, aad] = [hex(vector.key), hex(vector.nonce), hex(vector.aad)];
    const sealed = xaes.xaesSeal(key, nonce, hex(vector.plaintext), aad);
    expect(toHex(sealed)).toBe(vector.ciphertextAndTag);
    expect(toHex(xaes.xaesOpen(xaes.xaesKey(key), nonce, sealed, aad))).toBe(vector.plaintext);
  });

  test("no flipped bit of key, nonce, additional data, ciphertext or tag opens", () => {
    const [vector] = vectors.published.slice(1);
    if (vector === undefined) throw new Error("the vector is missing");
    const parts = {
      key: hex(vector.key),
      nonce: hex(vector.nonce),
      aad: hex(vector.aad),
      sealed: hex(vector.ciphertextAndTag),
    };
    for (const part of Object.values(parts)) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        part[bit >> 3] = (part[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(xaes.xaesOpen(parts.key, parts.nonce, parts.sealed, parts.aad)).toBeUndefined();
        part[bit >> 3] = (part[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      }
    }
    expect(xaes.xaesOpen(parts.key, parts.nonce, parts.sealed, parts.aad)).toBeDefined();
  });

  test("a tag that was cut, to any length, is refused", () => {
    const key = new Uint8Array(32).fill(7);
    const nonce = new Uint8Array(24).fill(9);
    const sealed = xaes.xaesSeal(key, nonce, new Uint8Array(0), new Uint8Array(0));
    expect(sealed).toHaveLength(16);
    for (let length = 0; length < 16; length++) {
      expect(
        xaes.xaesOpen(key, nonce, sealed.subarray(0, length), new Uint8Array(0)),
      ).toBeUndefined();
    }
  });

  test.each([
    ["a nonce", 32, 23],
    ["a nonce", 32, 25],
    ["a key", 31, 24],
    ["a key", 33, 24],
  ])("%s of the wrong length is an error when sealing", (_what, key, nonce) => {
    const none = new Uint8Array(0);
    expect(() => xaes.xaesSeal(new Uint8Array(key), new Uint8Array(nonce), none, none)).toThrow(
      RangeError,
    );
  });
});

test("what one implementation seals the other opens", () => {
  const [[, one], [, other]] = [implementations[0], implementations[1]] as [
    (typeof implementations)[number],
    (typeof implementations)[number],
  ];
  for (let length = 0; length < 200; length += 7) {
    const [key, nonce, text] = [
      node.randomBytes(32),
      node.randomBytes(24),
      node.randomBytes(length),
    ];
    expect(toHex(other.xaesOpen(key, nonce, one.xaesSeal(key, nonce, text, nonce), nonce))).toBe(
      toHex(text),
    );
    expect(toHex(one.xaesOpen(key, nonce, other.xaesSeal(key, nonce, text, nonce), nonce))).toBe(
      toHex(text),
    );
  }
});

test.each([
  ["node:crypto", over(node)],
  ["@noble", over(portable)],
] as const)("the accumulated 10,000 on %s", (_, xaes) => {
  const [run] = vectors.accumulated.runs;
  // One SHAKE-128 stream of empty input is the generator; 4 MB are more than 10,000 rounds need.
  const stream = createHash("shake128", { outputLength: 4_000_000 }).digest();
  let used = 0;
  const read = (length: number): Buffer => stream.subarray(used, (used += length));
  const all = createHash("shake128", { outputLength: 32 });
  for (let round = 0; round < (run?.iterations ?? 0); round++) {
    const [key, nonce] = [read(32), read(24)];
    const text = read(read(1)[0] ?? 0);
    const aad = read(read(1)[0] ?? 0);
    all.update(xaes.xaesSeal(key, nonce, text, aad));
  }
  expect(used).toBeLessThan(stream.length);
  expect(all.digest("hex")).toBe(run?.shake128_256bit);
});
