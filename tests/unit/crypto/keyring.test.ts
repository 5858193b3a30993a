// The operator's keys: what is refused when it is configured, with the field's name, and never shown.
import { describe, expect, test } from "vitest";
import {
  createCookieKeyring,
  createSigningKeyring,
  parseKey,
} from "../../../src/crypto/keyring.ts";
import { ConfigError } from "../../../src/errors.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";

const base64 = (bytes: Iterable<number>): string =>
  Buffer.from(Uint8Array.from(bytes)).toString("base64");
const good = freshKey();

describe("a key", () => {
  test.each([
    [undefined, /undefined.*environment variable.*keygen/],
    [null, /null/],
    [42, /number/],
    ["", /empty/],
    ["correct horse battery staple, thirty", /base64/],
    ["AAAA*AAA", /base64/],
    [`${good}\n`, /base64/],
    [good.replace(/.=$/, (end) => `${end[0] === "A" ? "B" : "B"}=`), /base64|32/],
    [base64(Array.from({ length: 16 }, (_, index) => (index * 37) % 256)), /32 random bytes.*16/],
    [base64(Array.from({ length: 33 }, (_, index) => (index * 37) % 256)), /33/],
    [base64(new Uint8Array(32)), /all zeros/],
    [base64(new Uint8Array(32).fill(9)), /series/],
    [base64(Array.from({ length: 32 }, (_, index) => index)), /series/],
    [base64(Array.from({ length: 32 }, (_, index) => (250 + index * 3) % 256)), /series/],
    [base64(Array.from({ length: 32 }, (_, index) => [200, 13, 77][index % 3] ?? 0)), /few bytes/],
    [
      Buffer.from("thirty-two characters of a phrase").subarray(0, 32).toString("base64"),
      /readable text/,
    ],
  ])("like %j is refused", (value, message) => {
    const error = thrownBy(() => parseKey(value, "secretKey"));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG_KEY", field: "secretKey" });
    expect(String(error)).toMatch(message);
    if (typeof value !== "string" || value.length < 8) return;
    const everything = `${String(error)} ${JSON.stringify(error)} ${(error as Error).stack ?? ""}`;
    expect(everything.includes(value)).toBe(false);
  });

  test("of 32 random bytes is taken, with its padding and without", () => {
    expect(parseKey(good, "secretKey")).toEqual(parseKey(good.replace("=", ""), "secretKey"));
    for (let round = 0; round < 2000; round++) expect(parseKey(freshKey(), "k")).toHaveLength(32);
  });
});

describe("a ring of secrets", () => {
  const keys = freshKeys();
  test.each([
    ["the same key for both", { secretKey: good, signingKey: good }, "signingKey"],
    ["no signing key", { secretKey: good }, "signingKey"],
    ["nothing", {}, "secretKey"],
    ["a ring and single secrets", { keys: [keys], secretKey: good }, "keys"],
    ["a ring that is no array", { keys: keys as never }, "keys"],
    ["an empty ring", { keys: [] }, "keys"],
    ["a ring that can't seal", { keys: [{ ...keys, seals: false }] }, "keys"],
    ["the same keys twice", { keys: [keys, { ...keys, seals: false }] }, "keys[1]"],
    ["an entry that is no object", { keys: [keys, "x" as never] }, "keys[1]"],
    ["an unknown field", { keys: [{ ...keys, sealing: true } as never] }, "keys[0].sealing"],
    ["a wrong kind", { keys: [{ ...keys, seals: "yes" as never }] }, "keys[0].seals"],
    [
      "a missing key",
      { keys: [keys, { secretKey: good, signingKey: undefined }] },
      "keys[1].signingKey",
    ],
  ])("with %s is refused", (_, options, field) => {
    expect(thrownBy(() => createCookieKeyring(options))).toMatchObject({ field });
  });

  test.each([
    ["nothing", {}, "signingKey"],
    ["a key that only accepts", { keys: [{ signingKey: good, signs: false }] }, "keys"],
    ["both shapes", { signingKey: good, keys: [{ signingKey: freshKey() }] }, "keys"],
    [
      "a cookie store's field",
      { keys: [{ signingKey: good, secretKey: good } as never] },
      "keys[0].secretKey",
    ],
  ])("for server-side stores with %s is refused", (_, options, field) => {
    expect(thrownBy(() => createSigningKeyring(options))).toMatchObject({ field });
  });
});
