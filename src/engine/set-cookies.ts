// The Set-Cookie values of what a keeper owes the client.
import { type Connection, isSecure } from "./connection.ts";
import type { Draft } from "./draft.ts";
import { cookieMaxAge } from "./expiry.ts";
import type { EngineParts } from "./keeper.ts";
import type { SealedWrite } from "../store/contract.ts";

/** One value for each cookie that is due, with the session's own lifetime. */
export function toSetCookies(
  { set, expire }: SealedWrite,
  { cookies, config }: EngineParts,
  { storedLifetime }: Draft,
  connection: Connection,
): string[] {
  const now = config.now();
  const secure = isSecure(config.cookie.secure, connection);
  const age = cookieMaxAge(storedLifetime.cookieExpires ?? config.cookieExpires);
  return [
    // ORDER: what is set comes first, so that a response that is torn apart still carries it.
    ...set.map(({ name, value, maxAge = age }) => cookies.set(name, value, maxAge, now, secure)),
    ...expire.map((name) => cookies.expire(name, secure)),
  ];
}
