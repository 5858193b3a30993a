// The ticket of server-side stores: a selector that finds the row, and a tag that proves the ticket ours
// before any store is asked. It knows no store. Its bytes, before base64url without padding:
//
//   byte  0       version, 1
//   bytes 1..4    key id, derived from the signing key
//   bytes 5..20   selector, 16 random bytes: the row's id
//   bytes 21..24  generation, big-endian
//   bytes 25..28  issued, Unix seconds, big-endian
//   bytes 29..44  tag: HMAC-SHA-256, cut to 16 bytes, over bytes 0..28, the cookie name's length in
//                 one byte and the cookie name
import { constantTimeEqual, decodeBase64url, encodeBase64url, encodeUtf8 } from "#crypto";
import type { SigningKeyring } from "../../crypto/keyring.ts";
import { SELECTOR_BYTES } from "../../store/selector.ts";
import { VerifiedTexts } from "../../crypto/verified.ts";
import { SECOND } from "../../base/time.ts";
import type { RejectedReason } from "../../events.ts";

const VERSION = 1;
const SELECTOR_OFFSET = 5;
const GENERATION_OFFSET = SELECTOR_OFFSET + SELECTOR_BYTES;
const ISSUED_OFFSET = GENERATION_OFFSET + 4;
const TAG_OFFSET = ISSUED_OFFSET + 4;
const TAG_BYTES = 16;
const TICKET_BYTES = TAG_OFFSET + TAG_BYTES;

/** The content of a verified ticket. */
export interface OpenedTicket {
  /** The row's id: 22 characters of base64url. */
  readonly selector: string;
  /** The row's generation when the ticket was made. */
  readonly generation: number;
  /** The instant of the ticket's sending, Unix milliseconds. */
  readonly issued: number;
  /** True if the ring's current key signed it. */
  readonly current: boolean;
}

/** The client's ticket for a row, signed by the ring's current key. */
export function sealTicket(
  ring: SigningKeyring,
  cookieName: string,
  row: { readonly selector: string; readonly generation: number; readonly issued: number },
): string {
  const ticket = new Uint8Array(TICKET_BYTES);
  const view = new DataView(ticket.buffer);
  ticket[0] = VERSION;
  view.setUint32(1, ring.current.id);
  ticket.set(decodeBase64url(row.selector) ?? [], SELECTOR_OFFSET);
  view.setUint32(GENERATION_OFFSET, row.generation);
  view.setUint32(ISSUED_OFFSET, Math.floor(row.issued / SECOND));
  const tag = ring.current.tag(ticket.subarray(0, TAG_OFFSET), ...framedName(cookieName));
  ticket.set(tag.subarray(0, TAG_BYTES), TAG_OFFSET);
  return encodeBase64url(ticket);
}

/** The memory for recently verified tickets, in bytes: enough for some two thousand. */
const VERIFIED_BYTES = 1_048_576;
/** The approximate bytes of an opened ticket besides its text. */
const OPENED_BYTES = 150;

/** Opens the tickets of one ring and one cookie name; a repeated ticket costs no HMAC. */
export class TicketOpener {
  readonly #ring: SigningKeyring;
  readonly #cookieName: string;
  readonly #verified = new VerifiedTexts<OpenedTicket>(VERIFIED_BYTES);

  constructor(ring: SigningKeyring, cookieName: string) {
    this.#ring = ring;
    this.#cookieName = cookieName;
  }

  /** As {@link openTicket}. */
  open(text: string): OpenedTicket | RejectedReason {
    const known = this.#verified.get(this.#cookieName, text);
    if (known !== undefined) return known;
    const ticket = openTicket(this.#ring, this.#cookieName, text);
    if (typeof ticket !== "string")
      this.#verified.add(this.#cookieName, text, ticket, OPENED_BYTES);
    return ticket;
  }
}

/**
 * The content of a ticket of ours for this cookie name.
 * @returns the reason if it isn't one. Never throws, whatever `text` holds.
 */
export function openTicket(
  ring: SigningKeyring,
  cookieName: string,
  text: string,
): OpenedTicket | RejectedReason {
  // ORDER: length, alphabet, version, key id, tag; nothing else is read before the tag is verified.
  if (text.length !== (TICKET_BYTES * 4) / 3) return "malformed";
  const ticket = decodeBase64url(text);
  if (ticket === undefined) return "malformed";
  if (ticket[0] !== VERSION) return "version";
  const view = new DataView(ticket.buffer, ticket.byteOffset, TICKET_BYTES);
  const signer = ring.find(view.getUint32(1));
  if (signer === undefined) return "unknown-key";
  const tag = signer.tag(ticket.subarray(0, TAG_OFFSET), ...framedName(cookieName));
  if (!constantTimeEqual(tag.subarray(0, TAG_BYTES), ticket.subarray(TAG_OFFSET))) return "forged";
  return {
    selector: encodeBase64url(ticket.subarray(SELECTOR_OFFSET, GENERATION_OFFSET)),
    generation: view.getUint32(GENERATION_OFFSET),
    issued: view.getUint32(ISSUED_OFFSET) * SECOND,
    current: signer === ring.current,
  };
}

function framedName(cookieName: string): Uint8Array[] {
  const name = encodeUtf8(cookieName);
  return [Uint8Array.of(name.length), name];
}
