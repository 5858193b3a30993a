// The page about the token says enough: what was written from it alone reads and writes every vector,
// and agrees with the library on what it never saw.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodePart as libraryDecodesPart } from "../../src/merge/part.ts";
import { openTicket } from "../../src/engine/ticketed/ticket.ts";
import { createSigningKeyring } from "../../src/crypto/keyring.ts";
import { decodePayload as libraryDecodes } from "../../src/crypto/payload.ts";
import { SessionCookieStore } from "../../src/stores/cookie.ts";
import {
  decodePart,
  type DecodedPart,
  type DecodedTombstone,
  decodePayload,
  type DecodedSession,
  PageReader,
} from "./from-the-page.ts";

interface Named {
  readonly name: string;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/token-v1.json", import.meta.url), "utf8"),
) as {
  readonly keys: { readonly secretKey: string; readonly signingKey: string };
  readonly accept: readonly (Named & {
    readonly cookie: string;
    readonly purpose: string;
    readonly nonce: string;
    readonly payload: DecodedSession;
    readonly payloadHex: string;
    readonly token: string;
  })[];
  readonly reject: readonly (Named & { readonly token: string; readonly reason: string })[];
  readonly accumulated: { readonly iterations: number; readonly sha256: string };
  readonly rejectPayloads: readonly (Named & { readonly payloadHex: string })[];
  readonly pieces: readonly (Named & {
    readonly cookies: readonly (Named & { readonly token: string })[];
    readonly payload?: DecodedSession;
    readonly rejected: readonly string[];
  })[];
  readonly parts: {
    readonly accept: readonly (Named & {
      readonly cookie: string;
      readonly nonce: string;
      readonly part: DecodedPart | DecodedTombstone;
      readonly payloadHex: string;
      readonly token: string;
    })[];
    readonly rejectPayloads: readonly (Named & { readonly payloadHex: string })[];
  };
  readonly splitKeys: {
    readonly accept: readonly (Named & {
      readonly cookie: string;
      readonly key: string;
      readonly selector: string;
      readonly generation: number;
      readonly issued: number;
    })[];
    readonly reject: readonly (Named & { readonly key: string; readonly reason: string })[];
  };
};
const reader = new PageReader(vectors.keys);
/** A session's data is a map: its order in the vectors says nothing. */
const asMap = (session: DecodedSession | undefined) =>
  session && { ...session, data: new Map(session.data) };
const hex = (text: string): Buffer => Buffer.from(text, "hex");

describe("written from the page", () => {
  test.each(vectors.accept)("the token $name is read and written", (vector) => {
    const payload = reader.open(vector.purpose, vector.cookie, vector.token);
    expect(Buffer.from(payload as Buffer).toString("hex")).toBe(vector.payloadHex);
    expect(asMap(decodePayload(payload as Buffer))).toEqual(asMap(vector.payload));
    const { purpose, cookie, nonce, payloadHex, token } = vector;
    expect(reader.seal(purpose, cookie, hex(nonce), hex(payloadHex))).toBe(token);
  });

  test.each(vectors.reject)("the token $name is refused: $reason", ({ token, reason }) => {
    expect(reader.open("session", "session", token)).toBe(reason);
  });

  test.each(vectors.rejectPayloads)("the payload is refused: $name", ({ payloadHex }) => {
    expect(decodePayload(hex(payloadHex))).toBeUndefined();
    expect(libraryDecodes(hex(payloadHex))).toBeUndefined();
  });

  test("the accumulated tokens are the same", () => {
    const { iterations, sha256 } = vectors.accumulated;
    const stream = createHash("shake128", { outputLength: iterations * 280 }).digest();
    let used = 0;
    const take = (length: number): Buffer => stream.subarray(used, (used += length));
    const all = createHash("sha256");
    for (let round = 0; round < iterations; round++) {
      const nonce = take(24);
      const payload = take(take(1)[0] ?? 0);
      all.update(`${reader.seal("session", "session", nonce, payload)}\n`);
    }
    expect(all.digest("hex")).toBe(sha256);
  });

  test.each(vectors.pieces)("pieces: $name", ({ cookies, payload, rejected }) => {
    const joined = reader.join("session", cookies);
    expect(joined.whole.map(decodePayload)).toEqual(payload === undefined ? [] : [payload]);
    expect(joined.rejected).toEqual(rejected);
  });

  test.each(vectors.parts.accept)("the part $name is read and written", (vector) => {
    const { cookie, nonce, part, payloadHex, token } = vector;
    const payload = reader.open("part", cookie, token);
    expect(Buffer.from(payload as Buffer).toString("hex")).toBe(payloadHex);
    expect(decodePart(payload as Buffer)).toEqual(part);
    expect(reader.seal("part", cookie, hex(nonce), hex(payloadHex))).toBe(token);
  });

  test.each(vectors.parts.rejectPayloads)("the part is refused: $name", ({ payloadHex }) => {
    expect(decodePart(hex(payloadHex))).toBeUndefined();
    expect(libraryDecodesPart(hex(payloadHex))).toBeUndefined();
  });

  test.each(vectors.splitKeys.accept)("the ticket $name is read", (vector) => {
    const { selector, generation, issued } = vector;
    expect(reader.openTicket(vector.cookie, vector.key)).toEqual({ selector, generation, issued });
  });

  test.each(vectors.splitKeys.reject)("the ticket $name is refused: $reason", (vector) => {
    expect(reader.openTicket("session", vector.key)).toBe(vector.reason);
  });
});

describe("the library", () => {
  test.each(vectors.pieces)("joins pieces as the page says: $name", (vector) => {
    const store = new SessionCookieStore(vectors.keys);
    const heard: string[] = [];
    const cookies = vector.cookies.map(({ name, token }) => ({ name, value: token }));
    const now = vector.payload?.created ?? 0;
    const opened = store.open(cookies, {
      name: "session",
      now,
      rejected: (reason) => heard.push(reason),
    });
    expect(opened && "data" in opened ? [...opened.data] : undefined).toEqual(vector.payload?.data);
    expect(heard).toEqual(vector.rejected);
  });

  test("reads tickets as the page says", () => {
    const ring = createSigningKeyring({ signingKey: vectors.keys.signingKey });
    for (const { cookie, key, selector, generation, issued } of vectors.splitKeys.accept) {
      expect(openTicket(ring, cookie, key)).toEqual({
        selector,
        generation,
        issued,
        current: true,
      });
    }
    for (const { key, reason } of vectors.splitKeys.reject) {
      expect(openTicket(ring, "session", key)).toBe(reason);
    }
  });

  test("seals what the page reads, also what no vector has", () => {
    const now = Date.now();
    const store = new SessionCookieStore({ ...vectors.keys, maxCookies: 4 });
    const small = new Map([
      ["\u{1F36A}", "\0"],
      ["\uFF5E", ""],
      ["__proto__", "é"],
    ]);
    const large = new Map([["k", randomBytes(6000).toString("base64url")]]);
    for (const data of [small, large]) {
      const change = { set: data, del: [], ttl: 86_400_000, deadline: now + 172_800_000 };
      const write = store.write(undefined, { op: "create", ...change }, { name: "app", now });
      const cookies = write?.set ?? [];
      const payloads = cookies.some(({ name }) => name === "app")
        ? [reader.open("session", "app", cookies[0]?.value ?? "") as Buffer]
        : reader.join(
            "app",
            cookies.map(({ name, value }) => ({ name, token: value })),
          ).whole;
      const [session] = payloads.map(decodePayload);
      expect(new Map(session?.data)).toEqual(data);
      expect(session?.deadline).toBe(Math.ceil((now + 172_800_000) / 1000) * 1000);
    }
  });
});
