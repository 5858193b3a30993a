// `kocha-session keygen`: two fresh secrets as lines of an environment file, printed or appended to a file
// that only its owner reads.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { type Command, readOptions, type Terminal } from "./terminal.ts";

/** 256 bits, for AES-256 and for HMAC-SHA-256. */
const KEY_BYTES = 32;
/** Read and written by the owner, and by nobody else. */
const OWNER_ONLY = 0o600;
/** A line of an environment file that sets one of the secrets, in any usual form. */
const KEY_LINE = /^[ \t]*(?:export[ \t]+)?(SESSION_(?:SECRET|SIGNING)_KEY)[ \t]*=/gm;

/** Both secrets as lines of an environment file: 32 random bytes each, in standard base64. */
export function keyLines(): string {
  const key = (): string => randomBytes(KEY_BYTES).toString("base64");
  return `SESSION_SECRET_KEY=${key()}\nSESSION_SIGNING_KEY=${key()}`;
}

/** The command. */
export const keygen: Command = {
  name: "keygen",
  summary: "makes both secrets, as lines of an environment file",
  help: `kocha-session keygen [--out <file>]

Prints SESSION_SECRET_KEY and SESSION_SIGNING_KEY, each 32 random bytes in base64.

  --out  append them to this file instead, which only its owner may read from then on (mode 0600)

A file that has one of the secrets already is left as it is, and the exit code is 1.
  npx kocha-session keygen --out .env
`,
  run: async (args, out) => {
    const { out: file } = readOptions(args, { out: { type: "string" } });
    if (file !== undefined) return append(file, out);
    out.print(keyLines());
    return 0;
  },
};

function append(file: string, out: Terminal): number {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, OWNER_ONLY);
  } catch (error) {
    out.complain(`${file} can't be opened: ${(error as NodeJS.ErrnoException).code ?? "failed"}`);
    return 1;
  }
  try {
    if (!fstatSync(fd).isFile()) {
      out.complain(`${file} is no file`);
      return 1;
    }
    const before = readFileSync(fd, "utf8");
    const there = new Set(Array.from(before.matchAll(KEY_LINE), ([, name]) => name));
    if (there.size > 0) {
      out.complain(`${file} has ${[...there].join(" and ")} already; nothing was written`);
      return 1;
    }
    // ORDER: restrict the file before a secret is written.
    fchmodSync(fd, OWNER_ONLY);
    const gap = before === "" || before.endsWith("\n") ? "" : "\n";
    writeFileSync(fd, `${gap}${keyLines()}\n`);
    out.print(
      `${out.style("green", "written")} both secrets to ${file}, readable by its owner only`,
    );
    return 0;
  } finally {
    closeSync(fd);
  }
}
