// `kocha-session keygen`: both keys, fresh, as lines of an environment file.
import { randomBytes } from "node:crypto";
import { type Command, readOptions } from "./terminal.ts";

/** 256 bits: SECURITY.md, keys. */
const KEY_BYTES = 32;

/** Both keys as lines of an environment file: 32 random bytes each, in standard base64. */
export function keyLines(): string {
  const key = (): string => randomBytes(KEY_BYTES).toString("base64");
  return `SESSION_SECRET_KEY=${key()}\nSESSION_SIGNING_KEY=${key()}`;
}

/** The command. */
export const keygen: Command = {
  name: "keygen",
  summary: "prints both keys, freshly made, as lines of an environment file",
  help: `kocha-session keygen

Prints SESSION_SECRET_KEY and SESSION_SIGNING_KEY, each 32 random bytes in base64.
  npx kocha-session keygen >> .env
`,
  run: async (args, out) => {
    readOptions(args, {});
    out.print(keyLines());
    return 0;
  },
};
