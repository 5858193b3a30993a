// base64url (RFC 4648 section 5) without padding in plain JavaScript, for runtimes without Buffer. It is
// strict: the same bytes have exactly one text. It knows no token.

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const notInAlphabet = 255;
const asciiSize = 128;
const values = new Uint8Array(asciiSize).fill(notInAlphabet);
for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;

/** base64url without padding. */
export function encodeBase64urlPortable(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += alphabet.charAt((held >>> bits) & 63);
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet.charAt((held << (6 - bits)) & 63);
}

/**
 * The bytes of base64url text; "" gives no bytes.
 * @returns undefined for padding, any other character, an impossible length, or stray bits after the last
 * byte; otherwise one token would have many spellings.
 */
export function decodeBase64urlPortable(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const value = values[text.charCodeAt(i)] ?? notInAlphabet;
    if (value === notInAlphabet) return undefined;
    held = (held << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length++] = held >>> bits;
    held &= (1 << bits) - 1;
  }
  return held === 0 ? bytes : undefined;
}
