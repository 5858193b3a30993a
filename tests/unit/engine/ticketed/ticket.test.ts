// The ticket of server-side stores: only what we signed for this cookie name says anything.
import { describe, expect, test } from "vitest";
import { mintSelector } from "../../../../src/store/selector.ts";
import { openTicket, sealTicket } from "../../../../src/engine/ticketed/ticket.ts";
import { createSigningKeyring } from "../../../../src/crypto/keyring.ts";
import { freshKey } from "../../../support/keys.ts";

const signingKey = freshKey();
const ring = createSigningKeyring({ signingKey });
const row = { selector: mintSelector(), generation: 7, issued: 1_790_000_000_000 };

describe("a ticket", () => {
  test("says what it was made of", () => {
    const ticket = sealTicket(ring, "session", row);
    expect(ticket).toMatch(/^[A-Za-z0-9_-]{60}$/);
    expect(openTicket(ring, "session", ticket)).toEqual({ ...row, current: true });
  });

  test("no flipped bit opens, and no other name", () => {
    const bytes = Buffer.from(sealTicket(ring, "session", row), "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(typeof openTicket(ring, "session", flipped.toString("base64url"))).toBe("string");
    }
    expect(openTicket(ring, "sessio", bytes.toString("base64url"))).toBe("forged");
  });

  test.each([
    ["", "malformed"],
    ["A".repeat(59), "malformed"],
    ["A".repeat(61), "malformed"],
    [`${"A".repeat(59)}=`, "malformed"],
    ["A".repeat(60), "version"],
    [`AQ${"A".repeat(58)}`, "unknown-key"],
  ])("%j is refused: %s", (text, reason) => {
    expect(openTicket(ring, "session", text)).toBe(reason);
  });

  test("rotates: the older ticket is accepted and not current, a retired one is unknown", () => {
    const ticket = sealTicket(ring, "session", row);
    const next = createSigningKeyring({
      keys: [{ signingKey: freshKey() }, { signingKey, signs: false }],
    });
    expect(openTicket(next, "session", ticket)).toEqual({ ...row, current: false });
    expect(openTicket(ring, "session", sealTicket(next, "session", row))).toBe("unknown-key");
  });

  test("selectors are 128 random bits: none comes twice, no byte is rare", () => {
    const count = 100_000;
    const seen = new Set<string>();
    const frequencies = new Uint32Array(256);
    for (let round = 0; round < count; round++) {
      const selector = mintSelector();
      seen.add(selector);
      for (const byte of Buffer.from(selector, "base64url"))
        frequencies[byte] = (frequencies[byte] ?? 0) + 1;
    }
    expect(seen.size).toBe(count);
    const expected = (count * 16) / 256;
    const chiSquare = frequencies.reduce(
      (sum, found) => sum + (found - expected) ** 2 / expected,
      0,
    );
    // 255 degrees of freedom: beyond 400 once in 10^8.
    expect(chiSquare).toBeLessThan(400);
  });
});
