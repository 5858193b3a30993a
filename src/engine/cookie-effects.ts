// The effects that are due of a session that was looked at: its keeper's cookies, as Set-Cookie values and as
// fields for callers that ask for them, and what its device adds.
import type { ResponseCookie } from "../cookie/attributes.ts";
import { type Connection, isSecure } from "./connection.ts";
import type { Draft } from "./draft.ts";
import { noEffects, type ResponseEffects } from "./effects.ts";
import { cookieMaxAge } from "./expiry.ts";
import type { EngineParts } from "./keeper.ts";
import type { SealedWrite } from "../store/contract.ts";

/** The effects of cookies, at least one, with the session's own lifetime. */
export class CookieEffects implements ResponseEffects {
  readonly setCookie: readonly string[];
  readonly headers: ResponseEffects["headers"] = noEffects.headers;
  readonly vary = true;
  readonly noStore = true;
  readonly #due: SealedWrite;
  readonly #parts: EngineParts;
  readonly #age: number | undefined;
  readonly #now: number;
  readonly #secure: boolean;

  constructor(due: SealedWrite, parts: EngineParts, draft: Draft, connection: Connection) {
    const { cookies, config } = parts;
    const now = config.now();
    const secure = isSecure(config.cookie.secure, connection);
    const age = cookieMaxAge(draft.storedLifetime.cookieExpires ?? config.cookieExpires);
    this.#due = due;
    this.#parts = parts;
    this.#age = age;
    this.#now = now;
    this.#secure = secure;
    this.setCookie = [
      // ORDER: new cookies before expired ones, so that a response that is cut off still carries them.
      ...due.set.map(({ name, value, maxAge = age }) =>
        cookies.set(name, value, maxAge, now, secure),
      ),
      ...due.expire.map((name) => cookies.expire(name, secure)),
    ];
  }

  get cookieName(): string {
    return this.#parts.config.name;
  }

  get cookies(): readonly ResponseCookie[] {
    const { cookies } = this.#parts;
    const { set, expire } = this.#due;
    return [
      ...set.map(({ name, value, maxAge = this.#age }) =>
        cookies.fields(name, value, maxAge, this.#now, this.#secure),
      ),
      ...expire.map((name) => cookies.fields(name, "", 0, 0, this.#secure)),
    ];
  }
}
