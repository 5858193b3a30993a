// A session in several cookies, and sets of pieces that aren't whole.
import { sealForVector } from "../../tests/support/token-vectors.ts";
import { nonceFor } from "./session.ts";
import { first } from "./tokens.ts";

/** A payload in pieces of one set, each a cookie, cut after so many bytes each. */
function cut(payload: Buffer, set: string, lengths: readonly number[]) {
  const name = (place: number): string => `session.split${place}`;
  let from = 0;
  return lengths.map((length, index) => {
    const head = Buffer.concat([Buffer.from(set, "hex"), Buffer.of(index + 1, lengths.length)]);
    const slice = payload.subarray(from, (from += length));
    const nonce = nonceFor(`piece ${set} ${index}`);
    const token = sealForVector("piece", name(index + 1), nonce, Buffer.concat([head, slice]));
    return { name: name(index + 1), token };
  });
}

const bytes = Buffer.from(first.payloadHex, "hex");
const two = cut(bytes, "0001020304050607", [20, bytes.length - 20]);
const four = cut(bytes, "f0f1f2f3f4f5f6f7", [1, 1, 0, bytes.length - 2]);
const other = cut(bytes, "0001020304050608", [20, bytes.length - 20]);
const [, second] = two;
const [otherFirst] = other;
if (second === undefined || otherFirst === undefined) throw new Error("there is no piece");
/** Cookies of the name `session`, the session that they make, and what is wrong with the others. */
export const pieces = [
  { name: "two pieces", cookies: two, payload: first.payload, rejected: [] },
  { name: "in any order", cookies: two.toReversed(), payload: first.payload, rejected: [] },
  { name: "four pieces, one of them empty", cookies: four, payload: first.payload, rejected: [] },
  { name: "a place missing", cookies: [second], rejected: ["incomplete"] },
  {
    name: "pieces of two sets",
    cookies: [otherFirst, second],
    rejected: ["incomplete", "incomplete"],
  },
  {
    name: "a piece in another place's cookie",
    cookies: [{ name: "session.split1", token: second.token }],
    rejected: ["forged"],
  },
];
