// What the hosts on the Fetch API's Request and Response share: headers of a Response that may be
// immutable, and the connection as a URL tells it.
import type { Connection } from "../core/backing.ts";
import { applyEffects, type ResponseEffects } from "../core/effects.ts";

/** Puts the effects into headers that may be changed. */
export function applyToHeaders(effects: ResponseEffects, headers: Headers): void {
  applyEffects(effects, {
    get: (name) => headers.get(name) ?? undefined,
    set: (name, value) => headers.set(name, value),
    append: (name, value) => headers.append(name, value),
  });
}

/** The connection of a request whose URL the host vouches for; both are asked when needed. */
export class WebConnection implements Connection {
  readonly #url: () => string;
  readonly #isLoopback: () => boolean;

  constructor(url: () => string, isLoopback: () => boolean) {
    this.#url = url;
    this.#isLoopback = isLoopback;
  }

  get secure(): boolean {
    return this.#url().startsWith("https:");
  }

  get loopback(): boolean {
    return this.#isLoopback();
  }
}
