// A self-signed certificate for a test's https server, made anew each time (X.509 in DER, RFC 5280), and the
// hash by which Chromium can be told to trust its key.
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A server's key and certificate. */
export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the public key, in base64: for --ignore-certificate-errors-spki-list. */
  readonly spki: string;
}

/** One value of DER: a tag, the length, the content. */
function der(tag: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const SEQUENCE = 0x30;
const ecdsaWithSha256 = der(SEQUENCE, der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
const commonName = der(0x06, [0x55, 4, 3]);
const subjectAltName = der(0x06, [0x55, 0x1d, 0x11]);

function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

/** Makes one for these host names, good for a day before and after now. */
export function makeCertificate(...hosts: readonly string[]): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const name = der(
    SEQUENCE,
    der(0x31, der(SEQUENCE, commonName, der(0x0c, Buffer.from(hosts[0] ?? "localhost")))),
  );
  const names = der(SEQUENCE, ...hosts.map((host) => der(0x82, Buffer.from(host))));
  const extensions = der(0xa3, der(SEQUENCE, der(SEQUENCE, subjectAltName, der(0x04, names))));
  const day = 86_400_000;
  const validity = der(
    SEQUENCE,
    utcTime(new Date(Date.now() - day)),
    utcTime(new Date(Date.now() + day)),
  );
  const serial = der(0x02, [1], randomBytes(8));
  const version = der(0xa0, der(0x02, [2]));
  const body = der(
    SEQUENCE,
    version,
    serial,
    ecdsaWithSha256,
    name,
    validity,
    name,
    spki,
    extensions,
  );
  const signature = der(0x03, [0], sign("sha256", body, privateKey));
  const certificate = der(SEQUENCE, body, ecdsaWithSha256, signature);
  const lines = certificate.toString("base64").replaceAll(/.{64}/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    spki: createHash("sha256").update(spki).digest("base64"),
  };
}
