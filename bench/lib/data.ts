// The two sessions that everything is measured with. The same in every run, so that sizes can be
// compared between runs; the values look like what sessions hold, and compress as badly.
import { createHash } from "node:crypto";

/** A session's data in the order in which it was set. */
export type Pairs = Readonly<Record<string, string>>;

const text = (label: string, length: number): string => {
  let all = "";
  for (let block = 0; all.length < length; block++) {
    all += createHash("sha256").update(`${label} ${block}`).digest("base64url");
  }
  return all.slice(0, length);
};

/** 117 bytes as JSON. */
const small: Pairs = {
  name: "alice",
  id: text("id", 22),
  userId: "482913",
  csrf: text("csrf", 43),
};

const large: Record<string, string> = { name: "alice", csrf: text("csrf", 43) };
for (let i = 2; i < 40; i++) {
  // 2380 bytes of JSON in all, which is what the peers were measured with before.
  large[`setting_${String(i).padStart(2, "0")}`] = text(`${i}`, i <= 8 ? 44 : 45);
}

/** The sessions by size: 117 bytes of JSON, and 40 pairs of about 2.4 KB. */
export const sessions = { small, large } as const;

/** Which of the two. */
export type Size = keyof typeof sessions;

/** What a login puts into the session: the small one, but for a server that is told otherwise. */
export const loginData: Pairs = sessions[process.env["BENCH_SIZE"] === "large" ? "large" : "small"];

/** The cookie secrets of the peers that take a text. */
export const password: string = text("password", 48);

/** A key of 32 bytes for whoever takes bytes; `label` makes it another one. */
export function keyBytes(label: string): Buffer {
  return createHash("sha256").update(`bench key ${label}`).digest();
}

/** Both our keys. */
export const ourKeys = {
  secretKey: keyBytes("secret").toString("base64"),
  signingKey: keyBytes("signing").toString("base64"),
} as const;
