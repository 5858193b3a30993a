// The Go framework's own cookies: every vector that its code made, and what must never open.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kochaCookies, openKochaCookie, sealKochaCookie } from "../../../src/compat/kocha.ts";
import { decodeStringMap, encodeStringMap } from "../../../src/compat/msgpack.ts";
import { ConfigError } from "../../../src/errors.ts";
import { thrownBy } from "../../support/thrown.ts";
import { openWithReader } from "../../support/foreign.ts";

interface Vector {
  readonly name: string;
  readonly secretKey: string;
  readonly signingKey: string;
  readonly cookie: string;
  readonly session?: Record<string, string> | null;
  readonly sessionBase64?: Record<string, string>;
  readonly msgpackHex?: string;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../../vectors/kocha-cookies.json", import.meta.url), "utf8"),
) as {
  readonly valid: readonly Vector[];
  readonly invalid: readonly Vector[];
  readonly leniency: Record<string, string>;
};
const [first] = vectors.valid;
if (first === undefined) throw new Error("the vectors are missing");
const keys = { secretKey: first.secretKey, signingKey: first.signingKey };
const seed = Number(process.env["FC_SEED"] ?? 42);
const numRuns = Number(process.env["FC_RUNS"] ?? 300);
const now = 1_790_000_000_000;

describe("cookies that Kocha made", () => {
  test.each(vectors.valid)("$name opens to Kocha's own map", (vector) => {
    const opened = openKochaCookie(vector.cookie, vector);
    const expected = new Map(Object.entries(vector.session ?? {}));
    if (vector.sessionBase64 !== undefined) {
      for (const [key, value] of Object.entries(vector.sessionBase64)) {
        const bytes = Buffer.from(value, "base64");
        const text = bytes.toString("utf8");
        const name = Buffer.from(key, "base64").toString("utf8");
        if (Buffer.from(text).equals(bytes)) expected.set(name, text);
      }
    }
    expect(opened).toEqual(expected);
  });

  test.each(vectors.valid.filter(({ session }) => Object.keys(session ?? {}).length === 1))(
    "$name is written with the same msgpack bytes",
    ({ session, msgpackHex }) => {
      if (msgpackHex === undefined) return;
      const bytes = encodeStringMap(new Map(Object.entries(session ?? {})));
      expect(Buffer.from(bytes).toString("hex")).toBe(msgpackHex);
    },
  );

  test.each(vectors.invalid)("$name is refused", (vector) => {
    expect(openKochaCookie(vector.cookie, vector)).toBeUndefined();
  });

  test("spellings of base64 that Kocha takes and never writes are refused", () => {
    const pad = first.cookie.length % 4 === 0 ? "====" : "=".repeat(4 - (first.cookie.length % 4));
    const middle = first.cookie.length / 2;
    const spellings = [
      first.cookie + pad,
      `${first.cookie.slice(0, middle)}\n${first.cookie.slice(middle)}`,
      `${first.cookie}\r\n`,
      ` ${first.cookie}`,
    ];
    for (const spelling of spellings) expect(openKochaCookie(spelling, keys)).toBeUndefined();
  });
});

describe("the codec", () => {
  test("what it seals it opens, whatever the strings", () => {
    const maps = fc.array(
      fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "binary", maxLength: 400 })),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(maps, (entries) => {
        const map = new Map([["__proto__", "x"], ...entries]);
        expect(openKochaCookie(sealKochaCookie(map, keys), keys)).toEqual(map);
      }),
      { seed, numRuns },
    );
  });

  test("no flipped bit, no cut and no extension opens", () => {
    const bytes = Buffer.from(first.cookie, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openKochaCookie(flipped.toString("base64url"), keys)).toBeUndefined();
    }
    for (let end = 0; end < bytes.length; end++) {
      expect(openKochaCookie(bytes.subarray(0, end).toString("base64url"), keys)).toBeUndefined();
    }
    const longer = Buffer.concat([bytes, Buffer.of(0)]);
    expect(openKochaCookie(longer.toString("base64url"), keys)).toBeUndefined();
  });

  test("msgpack is decoded totally: a map of strings, whole, or nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const decoded = decodeStringMap(bytes);
        if (decoded === undefined) return;
        let size = 0;
        for (const [key, value] of decoded.data) size += key.length + value.length;
        expect(size).toBeLessThan(bytes.length + 1);
      }),
      { seed, numRuns: numRuns * 10 },
    );
  });

  test.each([
    ["a str8, as newer writers have it", "81d90161d90162", { a: "b" }],
    [
      "bin8, bin16 and bin32",
      "83c40161a162c5000163a164c60000000165a166",
      { a: "b", c: "d", e: "f" },
    ],
    ["a map32", "df00000001a161a162", { a: "b" }],
    ["the last of two equal keys", "82a161a162a161a163", { a: "c" }],
    ["nothing in it", "80", {}],
  ])("msgpack with %s is read", (_, hex, expected) => {
    expect(decodeStringMap(Buffer.from(hex, "hex"))?.data).toEqual(
      new Map(Object.entries(expected)),
    );
  });

  test.each([
    ["nil", "c0"],
    ["an array", "9101"],
    ["an integer value", "81a16101"],
    ["a count that isn't there", "dfffffffff"],
    ["a string length that isn't there", "81a161dbffffffff"],
    ["a byte after the map", "81a161a16200"],
    ["no bytes", ""],
    ["half an entry", "81a161"],
    ["half a length", "81a161da00"],
  ])("msgpack of %s is refused", (_, hex) => {
    expect(decodeStringMap(Buffer.from(hex, "hex"))).toBeUndefined();
  });
});

describe("keys", () => {
  const marker = "VGhpc0lzQVNlY3JldE1hcmtlcg==";
  test.each([
    ["secretKey", undefined, /secretKey.*undefined/],
    ["secretKey", "not base64!", /secretKey.*base64/],
    ["secretKey", marker, /secretKey.*16, 24 or 32/],
    ["signingKey", "", /signingKey.*empty/],
    ["signingKey", 5, /signingKey.*number/],
  ])("a wrong %s (%s) is a ConfigError that doesn't show it", (field, value, message) => {
    const wrong: typeof keys = Object.assign({ ...keys }, { [field]: value });
    expect(() => openKochaCookie("", wrong)).toThrow(message);
    const error = thrownBy(() => kochaCookies({ name: "s", ...wrong }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG_KEY", field });
    expect(JSON.stringify(error) + String(error)).not.toContain(marker);
  });

  test("a name that no cookie can have is refused", () => {
    expect(() => kochaCookies({ name: "a;b", ...keys })).toThrow(ConfigError);
  });
});

describe("live cookies, for migrateFrom", () => {
  const open = (value: string) =>
    openWithReader(kochaCookies({ name: "kocha", ...keys }), `kocha=${value}`, now);
  const seconds = Math.floor(now / 1000);
  const seal = (entries: Record<string, string>): string =>
    sealKochaCookie(new Map(Object.entries(entries)), keys);
  const expires = "_kocha._sess._expires";

  test.each([
    ["a second before its end", seconds + 1, "alice"],
    ["in the second of its end", seconds, "alice"],
    ["a second after its end", seconds - 1, "expired"],
    ["with Kocha's persistent -62135596800", -62_135_596_800, "expired"],
  ])("%s", (_, end, expected) => {
    const { session, rejected } = open(seal({ name: "alice", [expires]: String(end) }));
    expect(session?.data.get("name") ?? rejected[0]).toBe(expected);
    expect(session?.data.size ?? 1).toBe(1);
  });

  test("without an expiry, or with one that isn't decimal, it is malformed", () => {
    expect(open(seal({ name: "alice" })).rejected).toEqual(["malformed"]);
    expect(open(seal({ [expires]: "0x10" })).rejected).toEqual(["malformed"]);
  });

  test("what isn't one gives its reason", () => {
    expect(open("rubbish!").rejected).toEqual(["malformed"]);
    expect(open("A".repeat(120)).rejected).toEqual(["forged"]);
  });

  test("entries that aren't UTF-8 are left out and named", () => {
    const vector = vectors.valid.find(({ sessionBase64 }) => sessionBase64 !== undefined);
    const { session } = open(vector?.cookie ?? "");
    expect(session).toMatchObject({ skipped: ["_flash"], data: new Map() });
  });

  test("the same cookie gives the same id, another cookie another", () => {
    const one = seal({ [expires]: String(seconds) });
    const ids = [one, one, seal({ [expires]: String(seconds) })].map(
      (cookie) => open(cookie).session?.id,
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
    expect(ids[0]).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  test("nothing is read any more from the day on that `until` names", () => {
    const cookie = `kocha=${seal({ name: "alice", [expires]: String(seconds + 60) })}`;
    const reader = kochaCookies({ name: "kocha", ...keys, until: new Date(now + 1) });
    expect(openWithReader(reader, cookie, now).session?.expires).toBe(now + 1);
    expect(openWithReader(reader, cookie, now + 1)).toEqual({ session: undefined, rejected: [] });
  });
});
