// The servers of the model check: the real code of merging cookies, called as the engine and the store call
// it, except for the seal: the check spends no time on AES.
import { isPart, type Part, type Seen, type Tombstone } from "../../../src/merge/part.ts";
import { MergingCookies } from "../../../src/merge/parts.ts";
import { MAX_SKEW } from "../../../src/base/time.ts";
import { mintSelector } from "../../../src/store/selector.ts";
import {
  type Cookie,
  isOpened,
  type OpenedSession,
  type SealedChange,
  type SealedRemains,
  type SealedWrite,
} from "../../../src/store/contract.ts";
import type { CookieKeyring } from "../../../src/crypto/keyring.ts";
import { KEYS, type Schedule, type Visit } from "./schedule.ts";

/** The session cookie's name. */
const NAME = "s";
const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** A seal without encryption: a token still opens only under its own name. */
const plainSeal = {
  sealFresh(target: Uint8Array, offset: number, plaintext: Uint8Array, aad: Uint8Array): void {
    target.fill(0, offset);
    target.set(plaintext, offset + NONCE_BYTES);
    target[offset + NONCE_BYTES + plaintext.length] = checksum(aad);
  },
  open(_nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
    const end = sealed.length - TAG_BYTES;
    return sealed[end] === checksum(aad) ? sealed.slice(0, end) : undefined;
  },
};
const key = { id: 1, xaes: plainSeal, aad: new Map() };
const ring = { current: key, find: () => key } as unknown as CookieKeyring;
/** No memory of tokens: every cookie is read from its bytes. */
const store = new MergingCookies(ring, 0);

function checksum(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (sum * 31 + byte) & 0xff, 7);
}

/** The content of a cookie. */
export function contentOf(cookie: Cookie): Part | Tombstone {
  const seen = store.open(cookie, { name: NAME, now: 0 }, Infinity);
  if (typeof seen === "object") return seen.content;
  throw new Error(`our own cookie doesn't open: ${seen}`);
}

/** The session of a request's cookies, or the remains of dead ones. */
export function openCookies(
  cookies: readonly Cookie[],
  now: number,
): OpenedSession | SealedRemains | undefined {
  const context = { name: NAME, now };
  const seen = cookies
    .map((cookie) => store.open(cookie, context, now + MAX_SKEW))
    .filter((one): one is Seen => typeof one === "object");
  const names = seen.map(({ suffix }) => `${NAME}.${suffix}`);
  const whole = { best: undefined, inGrace: undefined };
  return store.join(seen, whole, names, now, []) ?? store.remains({ names, others: [] }, seen);
}

/** The session of a request's cookies. */
export function openSession(cookies: readonly Cookie[], now: number): OpenedSession | undefined {
  const found = openCookies(cookies, now);
  return isOpened(found) ? found : undefined;
}

/** The cookies of a visit's response. */
export function writeSession(
  found: OpenedSession | SealedRemains | undefined,
  change: SealedChange,
  now: number,
): SealedWrite {
  const written = store.write(found, change, { name: NAME, now });
  if (written === undefined) throw new Error("a change was refused, though nothing can be stale");
  return written;
}

/** True for a barrier. */
export function isBarrier({ op, clear, bump, subject, cookieExpires }: SealedChange): boolean {
  if (op !== "update") return false;
  return clear === true || bump === true || subject !== undefined || cookieExpires !== undefined;
}

/** A visit's step as the engine's change for the store; undefined: no change. */
export function makeChange(
  { step, key: index }: Visit,
  opened: OpenedSession | undefined,
  serial: number,
  { ttl, padding }: Pick<Schedule, "ttl" | "padding">,
): SealedChange | undefined {
  const one = keyAt(index);
  const value = `w${serial}`.padEnd(padding, ".");
  const none = new Map<string, string>();
  const set = new Map([[one, value]]);
  const common = { del: [], ttl, deadline: Infinity };
  if (opened === undefined) {
    const begins = step === "set" || step === "set two" || step === "login";
    return begins ? { op: "create", id: mintSelector(), ...common, set } : undefined;
  }
  if (step === "delete" && !opened.data.has(one)) return undefined;
  const update = { op: "update", rev: opened.rev, ...common } as const;
  const regenerated = { ...update, bump: true, credential: mintSelector() };
  const changes: Record<Visit["step"], SealedChange> = {
    set: { ...update, set },
    "set two": { ...update, set: new Map(set).set(keyAt(index + 1), value) },
    delete: { ...update, set: none, del: [one] },
    renew: { ...update, set: none },
    clear: { ...update, clear: true, set },
    regenerate: { ...regenerated, set: none },
    login: { ...regenerated, subject: "user", set },
    bind: { ...update, subject: "user", set: none },
    shorten: { ...regenerated, cookieExpires: 60, ttl: 60_000, set: none },
    logout: { ...update, op: "destroy", set: none },
  };
  return changes[step];
}

function keyAt(index: number): string {
  return KEYS[index % KEYS.length] ?? "a";
}

/** The part in a response, if there is one. */
export function partOf(content: Part | Tombstone): Part | undefined {
  return isPart(content) ? content : undefined;
}
