// The two sets of primitives export the same things and give the same bytes, against known answers
// and each other.
import { createCipheriv, createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as byDefault from "../../../src/crypto/primitives-default.ts";
import * as node from "../../../src/crypto/primitives-node.ts";
import * as portable from "../../../src/crypto/primitives-portable.ts";
import type { Primitives } from "../../../src/crypto/primitives.ts";

const kinds: readonly (readonly [string, Primitives])[] = [
  ["node", node],
  ["portable", portable],
  ["default", byDefault],
];

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");
const pattern = (length: number, step = 7): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * step + 3) % 256);

describe.each(kinds)("%s primitives", (_, it) => {
  test("random bytes are fresh, of the asked length, and leave no byte out", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) seen.add(toHex(it.randomBytes(16)) ?? "");
    expect(seen.size).toBe(2000);
    expect(it.randomBytes(0)).toHaveLength(0);
    // A long target crosses the pool's end; a long run of zeros would be bytes not filled.
    const long = it.randomBytes(10_000);
    expect(long).toHaveLength(10_000);
    expect(toHex(long)).not.toContain("00".repeat(8));
    const view = new Uint8Array(40);
    it.fillRandom(view.subarray(8, 32));
    expect(view.subarray(0, 8)).toEqual(new Uint8Array(8));
    expect(view.subarray(32)).toEqual(new Uint8Array(8));
    expect(view.subarray(8, 32)).not.toEqual(new Uint8Array(24));
  });

  test("equality is over all bytes, and unequal lengths are unequal", () => {
    const bytes = pattern(16);
    expect(it.constantTimeEqual(bytes, bytes.slice())).toBe(true);
    expect(it.constantTimeEqual(bytes, bytes.subarray(0, 15))).toBe(false);
    expect(it.constantTimeEqual(new Uint8Array(0), new Uint8Array(0))).toBe(true);
    for (let i = 0; i < 16; i++) {
      const other = bytes.slice();
      other[i] = (other[i] ?? 0) ^ 1;
      expect(it.constantTimeEqual(bytes, other)).toBe(false);
    }
  });

  test("what other libraries' cookies need equals that of node:crypto", () => {
    const data = pattern(300, 11);
    for (const length of [1, 64, 100]) {
      const key = pattern(length);
      const mac = createHmac("sha1", key).update(data).digest("hex");
      expect(toHex(it.hmacSha1(key, data))).toBe(mac);
      for (const iterations of [1, 3]) {
        const derived = pbkdf2Sync(key, data, iterations, 32, "sha1").toString("hex");
        expect(toHex(it.pbkdf2Sha1(key, data, iterations, 32))).toBe(derived);
      }
    }
    const [key, iv] = [pattern(32), pattern(16, 5)];
    for (const length of [0, 15, 16, 300]) {
      const cipher = createCipheriv("aes-256-cbc", key, iv);
      const sealed = Buffer.concat([cipher.update(pattern(length)), cipher.final()]);
      expect(toHex(it.aesCbcOpen(key, iv, sealed))).toBe(toHex(pattern(length)));
      expect(it.aesCbcOpen(key, iv, sealed.subarray(1))).toBeUndefined();
    }
    expect(it.aesCbcOpen(key, iv, new Uint8Array(0))).toBeUndefined();
    // The padding of a block that decrypts to zeros.
    const raw = createCipheriv("aes-256-cbc", key, iv).setAutoPadding(false);
    expect(it.aesCbcOpen(key, iv, raw.update(new Uint8Array(16)))).toBeUndefined();
  });

  test("hashes and MACs equal those of node:crypto", () => {
    const key = pattern(32);
    const data = pattern(300, 11);
    expect(toHex(it.sha256(data))).toBe(createHash("sha256").update(data).digest("hex"));
    const mac = it.createHmacSha256(key);
    const expected = createHmac("sha256", key).update(data).digest("hex");
    expect(toHex(mac(data))).toBe(expected);
    expect(toHex(mac(data.subarray(0, 100), data.subarray(100)))).toBe(expected);
    for (const length of [1, 20, 64, 128, 200]) {
      const macKey = pattern(length);
      expect(toHex(it.hmacSha512t256(macKey, data))).toBe(
        createHmac("sha512-256", macKey).update(data).digest("hex"),
      );
    }
  });

  test("HKDF gives RFC 5869's third case: SHA-256, no salt, no info", () => {
    expect(toHex(it.hkdfSha256(hex("0b".repeat(22)), "", 42))).toBe(
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
  });

  test("the AES block is FIPS 197's, whatever came before it", () => {
    const block = it.createAesBlock(
      hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
    );
    const input = hex("00112233445566778899aabbccddeeff");
    expect(toHex(block(input))).toBe("8ea2b7ca516745bfeafc49904b496089");
    block(pattern(16));
    expect(toHex(block(input))).toBe("8ea2b7ca516745bfeafc49904b496089");
    expect(toHex(input)).toBe("00112233445566778899aabbccddeeff");
  });

  test.each([16, 24, 32])("AES-GCM with a key of %d bytes opens what it sealed only", (bytes) => {
    const key = pattern(bytes);
    const nonce = pattern(12, 5);
    const plaintext = pattern(50, 3);
    const sealed = it.aesGcmSeal(key, nonce, plaintext);
    expect(sealed).toHaveLength(66);
    expect(toHex(it.aesGcmOpen(key, nonce, sealed))).toBe(toHex(plaintext));
    sealed[10] = (sealed[10] ?? 0) ^ 1;
    expect(it.aesGcmOpen(key, nonce, sealed)).toBeUndefined();
    expect(it.aesGcmOpen(key, nonce, new Uint8Array(15))).toBeUndefined();
  });

  test.each([Uint8Array, Buffer])(
    "a prepared key is its own, whatever becomes of the %o",
    (Kind) => {
      const bytes = Kind.from(pattern(32));
      const [nonce, plaintext] = [pattern(12, 5), pattern(50, 3)];
      const key = it.createGcmKey(bytes);
      const sealed = it.aesGcmSeal(bytes, nonce, plaintext);
      bytes.fill(0);
      const opened = key.open(nonce, sealed, new Uint8Array(0));
      expect(opened && toHex(opened)).toBe(toHex(plaintext));
    },
  );

  test("AES-GCM refuses every tag shorter than 16 bytes", () => {
    const key = pattern(32);
    const nonce = pattern(12);
    const gcm = it.createGcmKey(key);
    const sealed = new Uint8Array(16 + 16);
    gcm.sealInto(sealed, 0, nonce, pattern(16), pattern(3));
    expect(toHex(gcm.open(nonce, sealed, pattern(3)))).toBe(toHex(pattern(16)));
    for (let tag = 0; tag < 16; tag++) {
      expect(gcm.open(nonce, sealed.subarray(0, 16 + tag), pattern(3))).toBeUndefined();
      expect(gcm.open(nonce, sealed.subarray(0, tag), pattern(3))).toBeUndefined();
    }
  });

  test("base64url takes exactly what it writes", () => {
    for (let length = 0; length < 40; length++) {
      const bytes = pattern(length, 37);
      const text = it.encodeBase64url(bytes);
      expect(text).toBe(Buffer.from(bytes).toString("base64url"));
      expect(toHex(it.decodeBase64url(text))).toBe(toHex(bytes));
    }
    const refused = ["A", "AAAAA", "AA==", "AAA=", "AB", "AAB", "_/8", "+A", "AA\n", " AA", "A A"];
    // The last two have the low byte of "A" in UTF-16 code units that aren't "A".
    for (const text of [...refused, "é", "AA\0", "\u0141A", "A\u0141AA"])
      expect({ text, bytes: it.decodeBase64url(text) }).toEqual({ text });
  });

  test("UTF-8 comes back as it was, and what isn't UTF-8 is undefined", () => {
    const texts = ["", "plain", "\0", "é€😀", "\uFEFFbom", "\uFFFD", "__proto__", "x".repeat(500)];
    for (const text of texts) {
      const bytes = it.encodeUtf8(text);
      expect(toHex(bytes)).toBe(Buffer.from(text, "utf8").toString("hex"));
      const target = new Uint8Array(bytes.length + 4);
      expect(it.writeUtf8(target, text, 2)).toBe(bytes.length);
      expect(it.readUtf8(target, 2, 2 + bytes.length)).toBe(text);
    }
    for (const bad of ["80", "c0af", "eda080", "f4908080", "c3", "61ff62", "efbfbdff"])
      expect({ bad, text: it.readUtf8(hex(bad), 0, bad.length / 2) }).toEqual({ bad });
    expect(it.readLatin1(hex("ff4100"), 0, 3)).toBe("\u00ffA\0");
    expect(it.readLatin1(hex("ff4100"), 1, 2)).toBe("A");
  });
});

describe("the default set", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  /** The sets as a runtime gets them whose `process` is this one. */
  async function loadWhere(host: object | undefined) {
    vi.stubGlobal("process", host);
    vi.resetModules();
    return {
      chosen: await import("../../../src/crypto/primitives-default.ts"),
      node: await import("../../../src/crypto/primitives-node.ts"),
      portable: await import("../../../src/crypto/primitives-portable.ts"),
    };
  }

  test("is node's where node:crypto is there, asked at start", async () => {
    const real = process;
    const asked: string[] = [];
    const { chosen, node: nodes } = await loadWhere({
      getBuiltinModule: (name: string) => {
        asked.push(name);
        return real.getBuiltinModule(name);
      },
    });
    expect(asked).toEqual(["node:crypto"]);
    expect({ ...chosen }).toEqual({ ...nodes });
    const sealed = chosen.aesGcmSeal(pattern(32), pattern(12), pattern(100));
    expect(toHex(sealed)).toBe(toHex(portable.aesGcmSeal(pattern(32), pattern(12), pattern(100))));
  });

  test.each([
    ["no process", undefined],
    ["a process of a bundler's making", { env: {} }],
    ["a process without built-in modules", { getBuiltinModule: () => undefined }],
    [
      "a process that throws for what it doesn't have, as in Next's edge runtime",
      {
        get getBuiltinModule(): never {
          throw new Error("a Node.js API is used which is not supported in the Edge Runtime");
        },
      },
    ],
    [
      "a node:crypto without ciphers, as an older workerd's",
      { getBuiltinModule: () => ({ createHash: () => undefined }) },
    ],
  ])("is @noble's where there is %s", async (_, host) => {
    const { chosen, portable: portables } = await loadWhere(host);
    expect({ ...chosen }).toEqual({ ...portables });
    expect(chosen.sha256).not.toBe(node.sha256);
  });

  test("has every function of the two", () => {
    const names = Object.keys(byDefault).toSorted();
    expect(names).toEqual(Object.keys(node).toSorted());
    expect(names).toEqual(Object.keys(portable).toSorted());
  });
});

test("what one set seals, the other opens", () => {
  const [key, nonce, text] = [pattern(32), pattern(12), pattern(100)];
  expect(toHex(node.aesGcmSeal(key, nonce, text))).toBe(
    toHex(portable.aesGcmSeal(key, nonce, text)),
  );
  expect(toHex(node.aesGcmOpen(key, nonce, portable.aesGcmSeal(key, nonce, text)))).toBe(
    toHex(text),
  );
  expect(toHex(portable.aesGcmOpen(key, nonce, node.aesGcmSeal(key, nonce, text)))).toBe(
    toHex(text),
  );
});
