// Type parsers for pg that return each value as the server's text, so that parsers set by the
// application for its own queries don't apply. It knows no statement.
import type { Buffer } from "node:buffer";

/** The object ids of PostgreSQL's whole numbers: bigint, smallint, integer. */
const BIGINT = 20;
const SMALLINT = 21;
const INTEGER = 23;

type Parser = (value: never) => unknown;

/** The interface by which pg looks up the parser of a column. */
export const asText = {
  getTypeParser: (oid: number, format?: string): Parser =>
    format === "binary" ? (bytes: Buffer) => textOf(oid, bytes) : (text: string) => text,
};

/** A client with `binary: true` gets every value in binary, and no query can override that. */
function textOf(oid: number, bytes: Buffer): string {
  if (oid === BIGINT) return String(bytes.readBigInt64BE());
  if (oid === INTEGER) return String(bytes.readInt32BE());
  if (oid === SMALLINT) return String(bytes.readInt16BE());
  return bytes.toString();
}
