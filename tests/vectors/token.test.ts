// The token, version 1, against its own vectors: what each opens to, and why each bad one doesn't.
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { createCookieKeyring } from "../../src/crypto/keyring.ts";
import { decodePayload, encodePayload, type SessionPayload } from "../../src/crypto/payload.ts";
import * as payloads from "../../src/crypto/payload.ts";
import { openToken, sealToken, type TokenPurpose } from "../../src/crypto/token.ts";
import { SessionCookieStore } from "../../src/stores/cookie.ts";
import { freshKeys } from "../support/keys.ts";
import { sealForVector, vectorStream } from "../support/token-vectors.ts";

interface Accepted {
  readonly name: string;
  readonly cookie: string;
  readonly purpose: TokenPurpose;
  readonly nonce: string;
  readonly payload: Record<string, unknown> & { readonly data: [string, string][] };
  readonly payloadHex: string;
  readonly token: string;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/token-v1.json", import.meta.url), "utf8"),
) as {
  readonly keys: { readonly secretKey: string; readonly signingKey: string };
  readonly accept: readonly Accepted[];
  readonly reject: readonly {
    readonly name: string;
    readonly token: string;
    readonly reason: string;
  }[];
  readonly accumulated: { readonly iterations: number; readonly sha256: string };
};
const ring = createCookieKeyring(vectors.keys);
const [first] = vectors.accept;
if (first === undefined) throw new Error("the vectors are missing");

describe("the vectors", () => {
  test.each(vectors.accept)("$name opens to its payload, and is written so", (vector) => {
    const opened = openToken(ring, vector.purpose, vector.cookie, vector.token);
    expect(opened).toMatchObject({ current: true });
    const bytes = typeof opened === "string" ? new Uint8Array() : opened.payload;
    expect(Buffer.from(bytes).toString("hex")).toBe(vector.payloadHex);
    const payload = decodePayload(bytes);
    const { idleExpires, deadline, data, ...rest } = vector.payload;
    const expected = {
      ...rest,
      idleExpires: idleExpires ?? Infinity,
      deadline: deadline ?? Infinity,
      data: new Map(data),
    };
    expect(payload).toEqual(expected);
    expect(Buffer.from(encodePayload(payload as SessionPayload)).toString("hex")).toBe(
      vector.payloadHex,
    );
    const again = sealForVector(
      vector.purpose,
      vector.cookie,
      Buffer.from(vector.nonce, "hex"),
      bytes,
    );
    expect(again).toBe(vector.token);
  });

  test.each(vectors.reject)("$name is refused: $reason", ({ token, reason }) => {
    expect(openToken(ring, "session", "session", token)).toBe(reason);
  });

  test("the accumulated 10,000", () => {
    expect(vectorStream(vectors.accumulated.iterations)).toBe(vectors.accumulated.sha256);
  });
});

describe.each(["node", "portable", "default"])("on the %s primitives", (kind) => {
  test("the vectors are opened and refused alike", async () => {
    vi.resetModules();
    const primitives = (await import(`../../src/crypto/primitives-${kind}.ts`)) as object;
    vi.doMock("#crypto", () => primitives);
    const { createCookieKeyring: createRing } = await import("../../src/crypto/keyring.ts");
    const payload = await import("../../src/crypto/payload.ts");
    const token = await import("../../src/crypto/token.ts");
    vi.doUnmock("#crypto");
    vi.resetModules();
    const theirs = createRing(vectors.keys);
    for (const vector of vectors.accept) {
      const opened = token.openToken(theirs, vector.purpose, vector.cookie, vector.token);
      if (typeof opened === "string") throw new Error(`${vector.name} was refused: ${opened}`);
      expect(Buffer.from(opened.payload).toString("hex")).toBe(vector.payloadHex);
      const session = payload.decodePayload(opened.payload) as SessionPayload;
      expect(session.data).toEqual(new Map(vector.payload.data));
      const bytes = payload.encodePayload(session);
      expect(Buffer.from(bytes).toString("hex")).toBe(vector.payloadHex);
      // What these primitives seal, the library's own open.
      const sealed = token.sealToken(theirs, vector.purpose, vector.cookie, bytes);
      expect(openToken(ring, vector.purpose, vector.cookie, sealed)).toEqual({
        payload: Buffer.from(bytes),
        current: true,
      });
    }
    for (const { token: bad, reason } of vectors.reject) {
      expect(token.openToken(theirs, "session", "session", bad)).toBe(reason);
    }
  });
});

describe("the token", () => {
  const bytes = Buffer.from(first.token, "base64url");

  test("no flipped bit, cut or extension opens, and the payload is never read", () => {
    const spy = vi.spyOn(payloads, "decodePayload");
    const store = new SessionCookieStore(vectors.keys);
    const open = (token: string): unknown =>
      store.open([{ name: "session", value: token }], { name: "session", now: 0 });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open(flipped.toString("base64url"))).toBeUndefined();
    }
    for (let end = 0; end < bytes.length; end++) {
      expect(open(bytes.subarray(0, end).toString("base64url"))).toBeUndefined();
      expect(
        open(Buffer.concat([bytes, bytes.subarray(0, end + 1)]).toString("base64url")),
      ).toBeUndefined();
    }
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  });

  test("two tokens can't be spliced", () => {
    const other = Buffer.from(
      sealToken(ring, "session", "session", bytes.subarray(0, 60)),
      "base64url",
    );
    // Version and key id are the same in both: the first five bytes.
    for (let at = 6; at < Math.min(bytes.length, other.length); at++) {
      const spliced = Buffer.concat([bytes.subarray(0, at), other.subarray(at)]).toString(
        "base64url",
      );
      expect(typeof openToken(ring, "session", "session", spliced)).toBe("string");
    }
  });

  test("it opens under its own cookie name and purpose alone", () => {
    const token = sealToken(ring, "session", "session", bytes);
    const others = [
      ["session", "Session"],
      ["session", "session.split1"],
      ["piece", "session"],
      ["session", ""],
    ] as const;
    for (const [purpose, name] of others)
      expect(openToken(ring, purpose, name, token)).toBe("forged");
  });

  test("either key alone opens nothing, and forges nothing", () => {
    const token = sealToken(ring, "session", "session", bytes);
    for (const half of ["secretKey", "signingKey"] as const) {
      const other = createCookieKeyring({ ...freshKeys(), [half]: vectors.keys[half] });
      expect(openToken(other, "session", "session", token)).toBe("unknown-key");
      expect(
        openToken(ring, "session", "session", sealToken(other, "session", "session", bytes)),
      ).toBe("unknown-key");
    }
  });

  test("20,000 tokens have 20,000 nonces, and none shows its payload", () => {
    const nonces = new Set<string>();
    const plain = Buffer.from("a text that would be found again");
    for (let round = 0; round < 20_000; round++) {
      const sealed = Buffer.from(sealToken(ring, "session", "session", plain), "base64url");
      nonces.add(sealed.subarray(5, 29).toString("hex"));
      expect(sealed.includes(plain)).toBe(false);
    }
    expect(nonces.size).toBe(20_000);
  });

  test("a ring opens with every key, seals with the first that may, and tries none in turn", () => {
    const [one, two] = [freshKeys(), freshKeys()];
    const fleets = {
      old: createCookieKeyring({ keys: [one] }),
      accepting: createCookieKeyring({ keys: [{ ...two, seals: false }, one] }),
      switched: createCookieKeyring({ keys: [two, { ...one, seals: false }] }),
      done: createCookieKeyring({ keys: [two] }),
    };
    const opens = (sealer: keyof typeof fleets, opener: keyof typeof fleets): string => {
      const token = sealToken(fleets[sealer], "session", "session", bytes);
      const opened = openToken(fleets[opener], "session", "session", token);
      if (typeof opened === "string") return opened;
      return opened.current ? "current" : "older";
    };
    expect(opens("old", "accepting")).toBe("current");
    expect(opens("accepting", "old")).toBe("current");
    expect(opens("switched", "accepting")).toBe("older");
    expect(opens("accepting", "switched")).toBe("older");
    expect(opens("switched", "old")).toBe("unknown-key");
    expect(opens("old", "done")).toBe("unknown-key");
    expect(opens("done", "accepting")).toBe("older");
  });
});
