// Sessions in the client's own cookies: sealed, so that they can be neither read nor changed, and
// opened without any store. It knows the token and the payload, no header and no attribute.
import type { ForeignCookies } from "../cookie/foreign.ts";
import {
  type Cookie,
  isOpened,
  type OpenedSession,
  type SealedCapabilities,
  type SealedChange,
  type SealedContext,
  type SealedRemains,
  type SealedSessionStore,
  type SealedWrite,
} from "../store/contract.ts";
import type { RejectedReason } from "../events.ts";
import { MAX_SKEW } from "../base/time.ts";
import { readCookieStoreOptions, type SessionCookieStoreOptions } from "../cookie/options.ts";
import type { MergingHalf } from "../cookie/merging.ts";
import { endableSessions } from "../cookie/others.ts";
import { joinPieces, splitPayload, tooLargeToSplit, wholeCapacity } from "../cookie/split.ts";
import { openSuffixed } from "../cookie/suffixed.ts";
import { Tries } from "../cookie/tries.ts";
import { applyToPayload, endOf, newest, toOpened } from "../cookie/state.ts";
import { type CookieKeyring, createCookieKeyring, type DerivingRing } from "../crypto/keyring.ts";
import { borrowPayload, decodePayload, type SessionPayload } from "../crypto/payload.ts";
import { openToken, sealToken } from "../crypto/token.ts";
import { VerifiedTexts } from "../crypto/verified.ts";

export type { SessionCookieStoreOptions } from "../cookie/options.ts";

/** About what remembered tokens may take, in bytes. */
const REMEMBERED_BYTES = 1_048_576;
/** About what a pair of an opened session takes beside its text, in bytes. */
const PAIR_BYTES = 100;

/** Keeps each session in its client's own cookie, encrypted and signed; nothing to run. */
export class SessionCookieStore implements SealedSessionStore {
  readonly sealed = true;
  readonly capabilities: SealedCapabilities;
  readonly foreignNames: readonly string[];
  readonly maxSessionBytes: number | undefined;
  readonly #ring: CookieKeyring;
  readonly #maxCookies: number;
  readonly #merging: MergingHalf | undefined;
  readonly #foreign: readonly ForeignCookies[];
  readonly #verified: VerifiedTexts<SessionPayload>;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_KEY or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionCookieStoreOptions) {
    const { maxCookies, merge, migrateFrom, rememberTokens } = readCookieStoreOptions(options);
    this.#ring = createCookieKeyring(options);
    this.#maxCookies = maxCookies;
    this.capabilities = { merges: merge !== undefined };
    this.maxSessionBytes = merge?.maxSessionBytes;
    this.#foreign = migrateFrom;
    this.foreignNames = [...new Set(migrateFrom.flatMap(({ names }) => names))];
    // Parts and whole tokens are remembered separately, half of the memory each.
    const bytes = rememberTokens ? REMEMBERED_BYTES / (merge === undefined ? 1 : 2) : 0;
    this.#verified = new VerifiedTexts(bytes);
    this.#merging = merge?.create(this.#ring, bytes);
  }

  get ring(): DerivingRing {
    return this.#ring;
  }

  open(
    cookies: readonly Cookie[],
    context: SealedContext,
  ): OpenedSession | SealedRemains | undefined {
    const [cookie] = cookies;
    const isPlain = this.#merging === undefined && this.#foreign.length === 0;
    // The usual request has one cookie, and needs none of the lists below.
    if (isPlain && cookies.length === 1 && cookie?.name === context.name) {
      return this.#openOnly(cookie, context);
    }
    return this.#openAll(cookies, context);
  }

  #openOnly(cookie: Cookie, context: SealedContext): OpenedSession | SealedRemains | undefined {
    const payload = this.#openWhole(cookie);
    if (typeof payload === "string") {
      context.rejected?.(payload);
      return undefined;
    }
    const verdict = judge(payload, context);
    const names = [cookie.name];
    if (payload !== undefined && (verdict === undefined || verdict === "grace")) {
      return toOpened(payload, names);
    }
    if (verdict !== undefined && verdict !== "grace") context.rejected?.(verdict);
    const isFuture = payload !== undefined && verdict === "future";
    return { names, others: isFuture ? [toOpened(payload, names)] : [] };
  }

  #openAll(
    cookies: readonly Cookie[],
    context: SealedContext,
  ): OpenedSession | SealedRemains | undefined {
    const { name, now } = context;
    const names: string[] = [];
    const rejected: RejectedReason[] = [];
    const wholes: SessionPayload[] = [];
    const tries = new Tries();
    let best: SessionPayload | undefined;
    let inGrace: SessionPayload | undefined;
    const consider = (payload: SessionPayload | undefined): void => {
      const verdict = judge(payload, context);
      if (verdict !== undefined && verdict !== "grace") rejected.push(verdict);
      if (payload === undefined) return;
      if (verdict === undefined) best = newest(best, payload);
      else if (verdict === "grace") inGrace = newest(inGrace, payload);
      else if (verdict !== "future") return;
      wholes.push(payload);
    };
    for (const cookie of cookies) {
      if (cookie.name !== name || !tries.areLeft) continue;
      const payload = this.#openWhole(cookie);
      if (typeof payload === "string") {
        if (tries.refused(payload)) rejected.push(payload);
        continue;
      }
      tries.verified();
      if (names.length === 0) names.push(name);
      consider(payload);
    }
    const suffixed = openSuffixed(cookies, context, this.#ring, this.#merging, rejected);
    const { parts } = suffixed;
    names.push(...suffixed.names);
    if (suffixed.pieces.length > 0) {
      for (const whole of joinPieces(suffixed.pieces, () => rejected.push("incomplete"))) {
        consider(decodePayload(whole));
      }
    }
    const found = best ?? inGrace;
    let opened = this.#merging?.join(parts, { best, inGrace }, names, now, rejected);
    if (this.#merging === undefined && found !== undefined) opened = toOpened(found, names);
    const isOurs = names.length > 0;
    const foreign = this.#openForeign(cookies, context, isOurs ? [] : rejected);
    if (!isOurs) opened = foreign;
    for (const reason of rejected) context.rejected?.(reason);
    if (!isOurs) return opened;
    const endable =
      this.#merging?.endable(wholes, parts, now, opened?.id) ??
      endableSessions(wholes, now, opened?.id);
    const others = [...endable];
    if (foreign !== undefined) {
      // A logout ends both: with only our cookie gone, the other library's session would return.
      names.push(...foreign.names.filter((one) => !names.includes(one)));
      others.push(foreign);
    }
    if (opened !== undefined) return others.length === 0 ? opened : { ...opened, others };
    const remains: SealedRemains = { names, others };
    return this.#merging?.remains(remains, parts) ?? remains;
  }

  /** The payload of a cookie with the session's own name; undefined: sealed by us, but malformed. */
  #openWhole({ name, value }: Cookie): SessionPayload | RejectedReason | undefined {
    // Only the decryption is saved: ends and revocation are checked again.
    const known = this.#verified.get(name, value);
    if (known !== undefined) return known;
    const token = openToken(this.#ring, "session", name, value);
    if (typeof token === "string") return token;
    const payload = decodePayload(token.payload);
    if (payload !== undefined) {
      const bytes = token.payload.length * 2 + PAIR_BYTES * payload.data.size;
      this.#verified.add(name, value, payload, bytes);
    }
    return payload;
  }

  write(
    found: OpenedSession | SealedRemains | undefined,
    change: SealedChange,
    context: SealedContext,
  ): SealedWrite | undefined {
    if (this.#merging !== undefined) return this.#merging.write(found, change, context);
    if (change.op === "destroy") return { set: [], expire: found?.names ?? [] };
    const opened = change.op === "update" && isOpened(found) ? found : undefined;
    const payload = applyToPayload(opened, change, context.now);
    if (payload === undefined) return undefined;
    const set = this.#seal(payload, context.name, this.#maxCookies);
    const isSet = (name: string): boolean => set.some((cookie) => cookie.name === name);
    const expire = found === undefined ? [] : found.names.filter((name) => !isSet(name));
    return { set, expire };
  }

  /** Another library's session; `rejected` gets why not, in place of what we said of its cookie. */
  #openForeign(
    cookies: readonly Cookie[],
    context: SealedContext,
    rejected: RejectedReason[],
  ): OpenedSession | undefined {
    for (const reader of this.#foreign) {
      const session = reader.open(cookies, context, rejected);
      if (session !== undefined) return session;
    }
    return undefined;
  }

  /** @throws {LimitError} ERR_SESSION_LIMIT_COOKIE */
  #seal(payload: SessionPayload, name: string, maxCookies: number): Cookie[] {
    const bytes = borrowPayload(payload);
    if (bytes.length <= wholeCapacity(name)) {
      return [{ name, value: sealToken(this.#ring, "session", name, bytes) }];
    }
    const pieces = maxCookies === 1 ? undefined : splitPayload(bytes, name, maxCookies);
    if (pieces === undefined) throw tooLargeToSplit(payload, bytes.length, name, maxCookies);
    return pieces.map((piece) => ({
      name: piece.name,
      value: sealToken(this.#ring, "piece", piece.name, piece.payload),
    }));
  }
}

/** Undefined for a live session, "grace" for one in its grace period, else the reason of its rejection. */
function judge(
  payload: SessionPayload | undefined,
  { now, verdict }: SealedContext,
): RejectedReason | "grace" | undefined {
  if (payload === undefined) return "malformed";
  if (payload.created > now + MAX_SKEW) return "future";
  return endOf(payload) <= now ? "expired" : verdict?.(payload);
}
