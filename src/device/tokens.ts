// The contents of what is sealed: instants, a session's handle, a key. Each text is bound to the session, and
// to the key where there is one.
import { decodeBase64url, encodeBase64url } from "#crypto";
import { MAX_SKEW, SECOND } from "../base/time.ts";
import { VerifiedTexts } from "../crypto/verified.ts";
import { SELECTOR_BYTES } from "../store/selector.ts";
import { decodeDeviceKey, type DeviceKey, encodeDeviceKey, thumbOf } from "./device-key.ts";
import { sealKinds, type Seals } from "./seals.ts";

/** How long a challenge may be answered, also more than once, in milliseconds. */
const CHALLENGE_LIFE = 300 * SECOND;
const INSTANT_BYTES = 4;
/** The memory for recently verified device cookies, in bytes: enough for some two thousand. */
const VERIFIED_BYTES = 1_048_576;
/** The approximate bytes of an end, and of the session and the key that a device cookie is for. */
const END_BYTES = 100;

/** The session and the key that a browser's identifier names. */
export interface Registered {
  readonly id: string;
  readonly key: DeviceKey;
  /** The key's fingerprint. */
  readonly thumb: string;
}

/** Writes and reads them; instants are Unix milliseconds. */
export class DeviceTokens {
  readonly #seals: Seals;
  /** The ends of device cookies. */
  readonly #ends = new VerifiedTexts<number>(VERIFIED_BYTES);

  constructor(seals: Seals) {
    this.#seals = seals;
  }

  /** The value of a device cookie that ends at `end`. */
  cookie(id: string, thumb: string, end: number): string {
    return this.#seals.seal(sealKinds.cookie, instant(end), [id, thumb]);
  }

  /** The end of a device cookie of this session and key; undefined: it is none. A repeated one costs no HMAC. */
  cookieEnd(value: string, id: string, thumb: string): number | undefined {
    const owner = id + thumb;
    const known = this.#ends.get(owner, value);
    if (known !== undefined) return known;
    const end = readInstant(this.#seals.open(sealKinds.cookie, value, [id, thumb]));
    if (end !== undefined) this.#ends.add(owner, value, end, END_BYTES);
    return end;
  }

  /** A challenge of a refresh. */
  challenge(id: string, thumb: string, now: number): string {
    return this.#seals.seal(sealKinds.challenge, instant(now), [id, thumb]);
  }

  isChallenge(text: string, id: string, thumb: string, now: number): boolean {
    return isLive(readInstant(this.#seals.open(sealKinds.challenge, text, [id, thumb])), now);
  }

  /** A challenge of a registration. It names the session: browsers may register without its cookie. */
  offer(id: string, now: number): string {
    return this.#seals.seal(sealKinds.offer, joined(instant(now), selector(id)));
  }

  /** The session that an offer names; undefined for any that isn't live. */
  offered(text: string, now: number): string | undefined {
    const content = this.#seals.open(sealKinds.offer, text);
    if (content === undefined || !isLive(readInstant(content), now)) return undefined;
    return encodeBase64url(content.subarray(INSTANT_BYTES));
  }

  /** The browser's name of its session with us. */
  identifier({ id, key }: Registered): string {
    return this.#seals.seal(sealKinds.identifier, joined(selector(id), encodeDeviceKey(key)));
  }

  registered(identifier: string): Registered | undefined {
    const content = this.#seals.open(sealKinds.identifier, identifier);
    const key = content && decodeDeviceKey(content.subarray(SELECTOR_BYTES));
    if (content === undefined || key === undefined) return undefined;
    const id = encodeBase64url(content.subarray(0, SELECTOR_BYTES));
    return { id, key, thumb: thumbOf(key) };
  }
}

function instant(time: number): Uint8Array {
  const bytes = new Uint8Array(INSTANT_BYTES);
  new DataView(bytes.buffer).setUint32(0, Math.floor(time / SECOND));
  return bytes;
}

function readInstant(content: Uint8Array | undefined): number | undefined {
  if (content === undefined) return undefined;
  return new DataView(content.buffer, content.byteOffset).getUint32(0) * SECOND;
}

/** True for a challenge that may still be answered; the clock that made it may be ahead. */
function isLive(made: number | undefined, now: number): boolean {
  return made !== undefined && made + CHALLENGE_LIFE > now && made - MAX_SKEW < now;
}

function selector(id: string): Uint8Array {
  return decodeBase64url(id) ?? new Uint8Array();
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
