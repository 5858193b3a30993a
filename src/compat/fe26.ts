// Fe26.2, the seal of @hapi/iron, which iron-session and h3 use: AES-256-CBC and HMAC-SHA-256 under
// keys that PBKDF2 derives from a password for each seal. It opens, and never seals.
//
//   Fe26.2 * password id * encryption salt * iv * ciphertext * end * MAC salt * MAC
//
// The salts go into PBKDF2-SHA-1 as the text that they are; iv, ciphertext and MAC are base64url; the
// end is Unix milliseconds, or empty; the MAC is over all before "*MAC salt".
import {
  aesCbcOpen,
  constantTimeEqual,
  createHmacSha256,
  decodeBase64url,
  pbkdf2Sha1,
  readUtf8,
} from "#crypto";
import { kindOf } from "../base/text.ts";
import { VerifiedTexts } from "../crypto/verified.ts";
import type { RejectedReason } from "../events.ts";
import { checkSecret } from "./options.ts";
import { fail } from "../base/options.ts";
import { bytesOf } from "./reader.ts";

const PREFIX = "Fe26.2";
const FIELDS = 8;
const KEY_BYTES = 32;
const MAC_BYTES = 32;
const IV_BYTES = 16;
/** Longer than any salt that is written: 64 characters. */
const MAX_SALT = 256;
const DECIMAL = /^\d{1,15}$/;
/** What both libraries ask of a password. */
const MIN_PASSWORD = 32;
/** Bytes of memory for seals that come again, about: a derivation can cost 20 ms. */
const MEMORY_BYTES = 262_144;

/** What a seal held. */
export interface Unsealed {
  /** JSON. */
  readonly text: string;
  /** Unix milliseconds; Infinity: none. */
  readonly expires: number;
  /** The MAC's bytes, by which one seal is known from another. */
  readonly mac: Uint8Array;
}

/** The passwords by the ids that seals name them with; `any`: the one for every id. */
export type Passwords = ReadonlyMap<string, Uint8Array> | { readonly any: Uint8Array };

/** Opens the seals of one application; what was opened lately costs nothing. */
export class Fe26Opener {
  readonly #passwords: Passwords;
  readonly #iterations: readonly number[];
  readonly #opened = new VerifiedTexts<Unsealed>(MEMORY_BYTES);

  /** @param iterations - of PBKDF2; several are tried in this order. */
  constructor(passwords: Passwords, iterations: readonly number[]) {
    this.#passwords = passwords;
    this.#iterations = iterations;
  }

  /** @returns why not, when it isn't one that lives. It never throws, whatever `seal` is. */
  open(seal: string, now: number): Unsealed | RejectedReason {
    const known = this.#opened.get(PREFIX, seal);
    const unsealed = known ?? this.#unseal(seal);
    if (typeof unsealed === "string") return unsealed;
    if (known === undefined) {
      this.#opened.add(PREFIX, seal, unsealed, unsealed.text.length * 2);
    }
    return unsealed.expires <= now ? "expired" : unsealed;
  }

  #unseal(seal: string): Unsealed | RejectedReason {
    // One more than there may be: whatever else the text holds isn't split.
    const fields = seal.split("*", FIELDS + 1);
    const [prefix, id = "", saltE = "", ivText = "", sealedText = "", end = ""] = fields;
    const [saltM = "", macText = ""] = fields.slice(FIELDS - 2);
    if (fields.length !== FIELDS) return "malformed";
    if (prefix !== PREFIX) return prefix?.startsWith("Fe26.") === true ? "version" : "malformed";
    const [iv, sealed, mac] = [ivText, sealedText, macText].map(decodeBase64url);
    // ORDER: lengths before any key is derived, which is what costs.
    if (iv?.length !== IV_BYTES || mac?.length !== MAC_BYTES) return "malformed";
    if (sealed === undefined || sealed.length === 0 || sealed.length % IV_BYTES !== 0) {
      return "malformed";
    }
    if (saltE.length > MAX_SALT || saltM.length > MAX_SALT) return "malformed";
    if (end !== "" && !DECIMAL.test(end)) return "malformed";
    const password =
      "any" in this.#passwords
        ? this.#passwords.any
        : this.#passwords.get(id === "" ? "default" : id);
    if (password === undefined) return "unknown-key";
    const signed = bytesOf(seal.slice(0, -(saltM.length + macText.length + 2)));
    // ORDER: the MAC is checked before anything is decrypted.
    const iterations = this.#iterations.find((count) => {
      const key = pbkdf2Sha1(password, bytesOf(saltM), count, KEY_BYTES);
      return constantTimeEqual(createHmacSha256(key)(signed), mac);
    });
    if (iterations === undefined) return "forged";
    const key = pbkdf2Sha1(password, bytesOf(saltE), iterations, KEY_BYTES);
    const plain = aesCbcOpen(key, iv, sealed);
    const text = plain && readUtf8(plain, 0, plain.length);
    if (text === undefined) return "malformed";
    return { text, expires: end === "" ? Infinity : Number(end), mac };
  }
}

/**
 * Passwords as both libraries take them: one string, or several by id.
 * @param id - what seals under a single password call it; undefined: it opens whatever they say.
 */
export function checkPasswords(given: unknown, id: string | undefined): Passwords {
  const field = "password";
  if (typeof given !== "object" || given === null) {
    const secret = checkSecret(given, field, MIN_PASSWORD);
    return id === undefined ? { any: secret } : new Map([[id, secret]]);
  }
  const entries = Object.entries(given);
  if (Array.isArray(given) || entries.length === 0) {
    const found = Array.isArray(given) ? kindOf(given) : "an empty object";
    fail(
      field,
      `must be a string, or an object of passwords by id, not ${found}`,
      "ERR_SESSION_CONFIG_KEY",
    );
  }
  return new Map(
    entries.map(([key, secret]) => [key, checkSecret(secret, `${field}.${key}`, MIN_PASSWORD)]),
  );
}
