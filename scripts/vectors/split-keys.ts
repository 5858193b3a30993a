// Keys of server-side sessions: what each says, and which aren't ours.
import { sealKey } from "../../src/engine/keyed/key.ts";
import { createSigningKeyring } from "../../src/crypto/keyring.ts";
import { vectorKeys } from "../../tests/support/token-vectors.ts";
import { created, id } from "./session.ts";

const row = { selector: id, generation: 1, issued: created };
const keyOf = (cookie: string, more: Partial<typeof row> = {}): string =>
  sealKey(createSigningKeyring({ signingKey: vectorKeys.signingKey }), cookie, { ...row, ...more });
const split = Buffer.from(keyOf("session"), "base64url");
const changeKey = (at: number, mask: number): string => {
  const changed = Buffer.from(split);
  changed[at] = (changed[at] ?? 0) ^ mask;
  return changed.toString("base64url");
};
/** What the vectors hold of them. */
export const splitKeys = {
  accept: [
    { name: "the first", cookie: "session", ...row, key: keyOf("session") },
    { name: "another cookie", cookie: "__Host-Http-app", ...row, key: keyOf("__Host-Http-app") },
    {
      name: "the last generation, the last second",
      cookie: "session",
      ...row,
      generation: 0xffff_ffff,
      issued: 0xffff_ffff * 1000,
      key: keyOf("session", { generation: 0xffff_ffff, issued: 0xffff_ffff * 1000 }),
    },
  ],
  reject: [
    { name: "empty", key: "", reason: "malformed" },
    { name: "padding", key: `${keyOf("session").slice(0, 59)}=`, reason: "malformed" },
    { name: "a character less", key: keyOf("session").slice(0, 59), reason: "malformed" },
    { name: "version 2", key: changeKey(0, 3), reason: "version" },
    { name: "another key id", key: changeKey(4, 1), reason: "unknown-key" },
    { name: "a flipped bit of the selector", key: changeKey(5, 1), reason: "forged" },
    { name: "a flipped bit of the generation", key: changeKey(24, 1), reason: "forged" },
    { name: "a flipped bit of the instant", key: changeKey(28, 1), reason: "forged" },
    { name: "a flipped bit of the tag", key: changeKey(44, 1), reason: "forged" },
    { name: "signed for another cookie", key: keyOf("other"), reason: "forged" },
  ],
};
