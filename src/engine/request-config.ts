// The configuration of one request, where the store is made for each.
import { isExact, isSealed, type SessionStore } from "../store/contract.ts";
import type { ResolvedConfig } from "./config.ts";

/**
 * The configuration with the request's own store, which is made when it is first asked for; the same
 * configuration where one store serves all requests.
 * @param env - what the store is made of: the request's environment.
 */
export function configFor(config: ResolvedConfig, env: unknown): ResolvedConfig {
  const { store: outer } = config;
  if (isSealed(outer) || outer.forRequest === undefined) return config;
  const make = (): SessionStore => outer.forRequest?.(env) ?? outer;
  let made: SessionStore | undefined;
  return {
    ...config,
    get store() {
      return (made ??= make());
    },
    get tellsOverwritten() {
      return config.on.overwritten !== undefined && isExact(this.store);
    },
  };
}
