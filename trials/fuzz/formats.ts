// The decoders behind our seals, which nobody can reach without a secret: msgpack behind Kocha's signature,
// payloads, pieces and merging parts behind our own seal. They are still total.
import { type Session, SessionCookieStore, SessionMiddleware } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { openKochaCookie } from "kocha-session/kocha";
import { aesGcmSeal, encodeBase64url, hmacSha512t256, randomBytes } from "#crypto";
import { createCookieKeyring } from "../../src/crypto/keyring.ts";
import { encodePart, encodeTombstone } from "../../src/merge/part.ts";
import { encodePayload, type SessionPayload } from "../../src/crypto/payload.ts";
import { sealToken } from "../../src/crypto/token.ts";
import { NAME } from "./headers.ts";
import type { SeededRandom } from "./random.ts";
import {
  describe,
  EMPTY,
  findSealedFault,
  newKeys,
  type Outcome,
  type Subject,
} from "./subject.ts";

/** Bytes with up to three changes, cuts or repetitions. */
function damageBytes(
  random: SeededRandom,
  whole: Uint8Array,
  hostile: readonly number[],
): Uint8Array {
  const bytes = Buffer.from(random.below(4) === 0 ? random.bytes(random.below(64)) : whole);
  for (let faults = random.below(4); faults > 0 && bytes.length > 0; faults--) {
    const value = random.below(2) === 0 ? hostile[random.below(hostile.length)] : undefined;
    bytes[random.below(bytes.length)] = value ?? random.below(256);
  }
  if (random.below(3) > 0) return bytes;
  const cut = bytes.subarray(0, random.below(bytes.length + 1));
  return random.below(2) === 0 ? cut : Buffer.concat([cut, bytes.subarray(random.below(10))]);
}

/** Hostile msgpack behind a good signature, so that it reaches the decoder. */
function kochaSubject(): Subject {
  const keys = newKeys();
  const secret = Buffer.from(keys.secretKey, "base64");
  const signing = Buffer.from(keys.signingKey, "base64");
  const seal = (plain: Uint8Array): string => {
    const nonce = randomBytes(12);
    const body = Buffer.concat([nonce, aesGcmSeal(secret, nonce, plain)]);
    return encodeBase64url(Buffer.concat([hmacSha512t256(signing, body), body]));
  };
  const whole = Buffer.from([0x82, 0xa1, 0x61, 0xa1, 0x62, 0xa1, 0x63, 0xda, 0, 2, 0x64, 0x65]);
  // The marks of maps, arrays, strings and bytes, and of the lengths behind them.
  const marks = [0xde, 0xdf, 0xda, 0xdb, 0xd9, 0xc4, 0xc6, 0xff, 0x8f, 0xbf, 0x00];
  return {
    name: "msgpack of Kocha's cookies",
    run: (random) => {
      const plain = damageBytes(random, whole, marks);
      const map = openKochaCookie(seal(plain), keys);
      if (map === undefined) return "refused";
      for (const [key, value] of map) {
        if (typeof key !== "string" || typeof value !== "string")
          return { fault: "msgpack gave what is no string" };
        if (key.length + value.length > plain.length)
          return { fault: "msgpack gave more than it held" };
      }
      return "accepted";
    },
  };
}

/** A live session with every optional field. */
function sessionOf(value: string): SessionPayload {
  const created = Math.floor(Date.now() / 1000) * 1000;
  return {
    id: "AAAAAAAAAAAAAAAAAAAAAA",
    credential: "AAAAAAAAAAAAAAAAAAAAAQ",
    rev: 1,
    created,
    issued: created,
    idleExpires: created + 86_400_000,
    deadline: Infinity,
    data: new Map([
      ["a", value],
      ["b", ""],
    ]),
    subject: "alice",
    boundAt: created,
    cookieExpires: 60,
    sessionExpires: 60,
  };
}

function judge(session: Session): Outcome {
  const fault = findSealedFault(session);
  if (fault !== undefined) return { fault };
  void [session.createdAt, session.expiresAt, session.cookieExpires, session.sessionExpires];
  return describe(session) === EMPTY ? "refused" : "accepted";
}

/** Payloads that we never wrote, whole and in pieces, behind our own good seal. */
function sealedSubjects(): Subject[] {
  const keys = newKeys();
  const ring = createCookieKeyring(keys);
  const engine = new SessionMiddleware({
    name: NAME,
    store: new SessionCookieStore({ ...keys, maxCookies: 4 }),
  });
  const whole = encodePayload(sessionOf("x"));
  const marks = [0x00, 0x7f, 0x80, 0xff, 0xc0, 0xed, 0xa0];
  const open = async (cookies: readonly string[], written: Uint8Array): Promise<Outcome> => {
    const session = await engine.open(cookies.join("; "));
    const bytes = Buffer.from(written);
    const isRead = [...session].flat().every((text) => bytes.includes(Buffer.from(text)));
    const outcome = isRead ? judge(session) : { fault: "it holds text that was never written" };
    // A renewal or the end of such a session doesn't throw either.
    if (outcome === "accepted") await engine.commit(session);
    return outcome;
  };
  const large = encodePayload(sessionOf("x".repeat(5000)));
  return [
    {
      name: "payloads behind a good seal",
      run: (random) => {
        const payload = damageBytes(random, whole, marks);
        return open([`${NAME}=${sealToken(ring, "session", NAME, payload)}`], payload);
      },
    },
    {
      name: "pieces behind a good seal",
      run: (random) => {
        const set = random.bytes(8);
        const half = Math.ceil(large.length / 2);
        const written: Uint8Array[] = [];
        const cookies = [1, 2, 3].slice(0, 2 + random.below(2)).map((place) => {
          const name = `${NAME}.split${place}`;
          const head = Buffer.concat([set, Buffer.from([place, 2])]);
          const piece = Buffer.concat([head, large.subarray((place - 1) * half, place * half)]);
          // Most of the faults go into the head: the set's id, the place, the count.
          if (random.below(3) === 0) piece[random.below(10)] = random.below(6);
          if (random.below(6) === 0) piece[random.below(piece.length)] = random.below(256);
          const cut = random.below(6) === 0 ? piece.subarray(0, random.below(piece.length)) : piece;
          written.push(cut.subarray(10));
          return `${name}=${sealToken(ring, "piece", name, cut)}`;
        });
        return open(cookies, Buffer.concat(written));
      },
    },
  ];
}

/** Parts and tombstones that we never wrote, beside good ones, behind our own good seal. */
function partSubject(): Subject {
  const keys = newKeys();
  const ring = createCookieKeyring(keys);
  const store = new SessionCookieStore({ ...keys, merge: mergingCookies() });
  const engine = new SessionMiddleware({ name: NAME, store });
  const session = sessionOf("x");
  const entries = new Map([
    ["a", { value: "x", stamp: 5 }],
    ["b", { value: "", stamp: 7 }],
    ["gone", { value: undefined, stamp: 9 }],
  ]);
  const covers = ["AAAAAA", "BBBBBB"];
  const at = session.created;
  const forms = [
    encodePart({ session, nonce: "", floor: 1, entries, covers }),
    encodePart({ session, nonce: "AAAAAAAAAAAAAAAAAAAAAg", floor: 8, entries, covers: [] }),
    encodeTombstone({ at, until: at + 60_000, dead: new Map([["AAAAAAAAAAAAAAAAAAAAAg", 2]]) }),
  ];
  const marks = [0x00, 0x01, 0x02, 0x03, 0x7f, 0x80, 0xff];
  return {
    name: "merging parts behind a good seal",
    run: async (random) => {
      const cookies = Array.from({ length: 1 + random.below(3) }, (_, index) => {
        const name = `${NAME}.${"ABCDEF".charAt(index).repeat(6)}`;
        const bytes = damageBytes(
          random,
          forms[random.below(forms.length)] ?? new Uint8Array(0),
          marks,
        );
        return `${name}=${sealToken(ring, "part", name, bytes)}`;
      });
      const opened = await engine.open(cookies.join("; "));
      const outcome = judge(opened);
      if (outcome !== "accepted") return outcome;
      // A write over such parts, or after them, doesn't throw either.
      if (random.below(2) === 0) opened.set("more", "1");
      else opened.clear();
      await engine.commit(opened);
      return outcome;
    },
  };
}

/** All subjects of this file. */
export function formatSubjects(): Subject[] {
  return [kochaSubject(), ...sealedSubjects(), partSubject()];
}
