// Tickets of server-side sessions: what each says, and which aren't ours.
import { sealTicket } from "../../src/engine/ticketed/ticket.ts";
import { createSigningKeyring } from "../../src/crypto/keyring.ts";
import { vectorKeys } from "../../tests/support/token-vectors.ts";
import { created, id } from "./session.ts";

const row = { selector: id, generation: 1, issued: created };
const ticketOf = (cookie: string, more: Partial<typeof row> = {}): string =>
  sealTicket(createSigningKeyring({ signingKey: vectorKeys.signingKey }), cookie, {
    ...row,
    ...more,
  });
const first = Buffer.from(ticketOf("session"), "base64url");
const changeTicket = (at: number, mask: number): string => {
  const changed = Buffer.from(first);
  changed[at] = (changed[at] ?? 0) ^ mask;
  return changed.toString("base64url");
};
/** What the vectors hold of them. */
export const tickets = {
  accept: [
    { name: "the first", cookie: "session", ...row, key: ticketOf("session") },
    { name: "another cookie", cookie: "__Host-Http-app", ...row, key: ticketOf("__Host-Http-app") },
    {
      name: "the last generation, the last second",
      cookie: "session",
      ...row,
      generation: 0xffff_ffff,
      issued: 0xffff_ffff * 1000,
      key: ticketOf("session", { generation: 0xffff_ffff, issued: 0xffff_ffff * 1000 }),
    },
  ],
  reject: [
    { name: "empty", key: "", reason: "malformed" },
    { name: "padding", key: `${ticketOf("session").slice(0, 59)}=`, reason: "malformed" },
    { name: "a character less", key: ticketOf("session").slice(0, 59), reason: "malformed" },
    { name: "version 2", key: changeTicket(0, 3), reason: "version" },
    { name: "another key id", key: changeTicket(4, 1), reason: "unknown-key" },
    { name: "a flipped bit of the selector", key: changeTicket(5, 1), reason: "forged" },
    { name: "a flipped bit of the generation", key: changeTicket(24, 1), reason: "forged" },
    { name: "a flipped bit of the instant", key: changeTicket(28, 1), reason: "forged" },
    { name: "a flipped bit of the tag", key: changeTicket(44, 1), reason: "forged" },
    { name: "signed for another cookie", key: ticketOf("other"), reason: "forged" },
  ],
};
