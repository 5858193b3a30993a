// The payload: what is encoded is decoded, one state has one form, and no other bytes are a state.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePayload, encodePayload, type SessionPayload } from "../../../src/crypto/payload.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);
const numRuns = Number(process.env["FC_RUNS"] ?? 500);
const created = 1_790_000_000_000;

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("", "__proto__", "constructor", "\0", "\u{10FFFF}", "\uFFFF", "\uE000", "\uFEFF"),
);
const end = fc.oneof(
  fc.constant(Infinity),
  fc.integer({ min: 1, max: 100_000_000 }).map((seconds) => created + seconds * 1000),
);
const anyPayload: fc.Arbitrary<SessionPayload> = fc
  .record({
    id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    rev: fc.integer({ min: 1, max: 2 ** 40 }),
    idleExpires: end,
    deadline: end,
    issued: fc.integer({ min: 0, max: 10_000_000 }),
    credential: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }), { nil: undefined }),
    bound: fc.option(fc.tuple(text, fc.integer({ min: 0, max: 2 ** 45 })), { nil: undefined }),
    cookieExpires: fc.option(fc.integer({ min: -1, max: 3_155_760_000 }), { nil: undefined }),
    sessionExpires: fc.option(fc.integer({ min: 1, max: 3_155_760_000 }), { nil: undefined }),
    data: fc.array(fc.tuple(text, text), { maxLength: 30 }),
  })
  .map(({ id, credential, bound, cookieExpires, sessionExpires, data, issued, ...rest }) => ({
    ...rest,
    id: Buffer.from(id).toString("base64url"),
    created,
    issued: rest.idleExpires === Infinity ? created + issued * 1000 : 0,
    data: new Map(data),
    ...(bound !== undefined && { subject: bound[0], boundAt: bound[1] }),
    ...(cookieExpires !== undefined && { cookieExpires }),
    ...(sessionExpires !== undefined && { sessionExpires }),
    ...(credential !== undefined && {
      credential: Buffer.from(credential).toString("base64url"),
    }),
  }));

describe("the payload", () => {
  test("what is encoded is decoded", () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        expect(decodePayload(encodePayload(payload))).toEqual(payload);
      }),
      { seed, numRuns },
    );
  });

  test("what was encoded stays what it is when more is encoded", () => {
    fc.assert(
      fc.property(anyPayload, anyPayload, (payload, other) => {
        const bytes = encodePayload(payload);
        encodePayload(other);
        expect(decodePayload(bytes)).toEqual(payload);
      }),
      { seed, numRuns },
    );
  });

  test("one state has one form, whatever the order in which it came about", () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        const turned = { ...payload, data: new Map([...payload.data].toReversed()) };
        expect(encodePayload(turned)).toEqual(encodePayload(payload));
      }),
      { seed, numRuns },
    );
  });

  test("bytes that decode are the very bytes that encode to them", () => {
    const mutated = fc.tuple(anyPayload, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 3 }));
    fc.assert(
      fc.property(mutated, ([payload, where, value, kind]) => {
        const bytes = Buffer.from(encodePayload(payload));
        const at = where % bytes.length;
        const hostile = [
          Buffer.concat([bytes.subarray(0, at), Buffer.of(value), bytes.subarray(at + 1)]),
          Buffer.concat([bytes.subarray(0, at), Buffer.of(value), bytes.subarray(at)]),
          bytes.subarray(0, at),
          Buffer.concat([bytes, bytes.subarray(0, at)]),
        ][kind] as Buffer;
        const decoded = decodePayload(hostile);
        const again = decoded === undefined ? hostile : Buffer.from(encodePayload(decoded));
        expect(again).toEqual(hostile);
      }),
      { seed, numRuns: numRuns * 4 },
    );
  });

  test("any bytes at all never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = decodePayload(bytes);
        expect(decoded === undefined || decoded.data instanceof Map).toBe(true);
      }),
      { seed, numRuns },
    );
  });

  test("ends are rounded up to whole seconds: none comes before its time", () => {
    const ends = { idleExpires: created + 1, deadline: created + 1001 };
    const payload = { id: "A".repeat(22), rev: 1, created, issued: 0, ...ends, data: new Map() };
    const decoded = decodePayload(encodePayload(payload));
    expect(decoded).toMatchObject({ idleExpires: created + 1000, deadline: created + 2000 });
  });
});
