// The session that most vectors hold, and how the vectors write a session.
import { createHash } from "node:crypto";
import type { SessionPayload } from "../../src/crypto/payload.ts";

/** Unix milliseconds. */
export const created = Date.UTC(2026, 10, 22, 12, 0, 0);
/** A day, and no absolute end. */
export const ends = { created, issued: 0, idleExpires: created + 86_400_000, deadline: Infinity };
/** base64url of 16 bytes. */
export const id = "AAECAwQFBgcICQoLDA0ODw";

/** As JSON: null for an end that is none, pairs for a map. */
export const toJson = (payload: SessionPayload) => ({
  ...payload,
  idleExpires: payload.idleExpires === Infinity ? null : payload.idleExpires,
  deadline: payload.deadline === Infinity ? null : payload.deadline,
  data: [...payload.data],
});
/** Bytes in hexadecimal. */
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A nonce for each name, the same in each run. */
export function nonceFor(name: string): Buffer {
  return createHash("sha256").update(name).digest().subarray(0, 24);
}
