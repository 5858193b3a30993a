// Keys for tests, fresh each time: none is in the repository.
import { randomBytes } from "node:crypto";

/** 32 random bytes in standard base64. */
export function freshKey(): string {
  return randomBytes(32).toString("base64");
}

/** Both keys of a cookie store. */
export function freshKeys(): { secretKey: string; signingKey: string } {
  return { secretKey: freshKey(), signingKey: freshKey() };
}
