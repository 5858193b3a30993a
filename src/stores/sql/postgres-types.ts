// How pg is to give values: as the text that the server wrote, whatever parsers its user has set for
// his own queries. It knows no statement.
import type { Buffer } from "node:buffer";

/** The object ids of PostgreSQL's whole numbers: bigint, smallint, integer. */
const BIGINT = 20;
const SMALLINT = 21;
const INTEGER = 23;

type Parser = (value: never) => unknown;

/** What pg asks for the parser of a column. */
export const asText = {
  getTypeParser: (oid: number, format?: string): Parser =>
    format === "binary" ? (bytes: Buffer) => textOf(oid, bytes) : (text: string) => text,
};

/** A client with `binary: true` gets everything so, and no query can say otherwise. */
function textOf(oid: number, bytes: Buffer): string {
  if (oid === BIGINT) return String(bytes.readBigInt64BE());
  if (oid === INTEGER) return String(bytes.readInt32BE());
  if (oid === SMALLINT) return String(bytes.readInt16BE());
  return bytes.toString();
}
