// The configuration of one request, where the store is made for each.
import type { SessionStore } from "../store/contract.ts";
import type { ResolvedConfig } from "./config.ts";

/**
 * The configuration with the request's own store, which is made when it is first asked for; the same
 * configuration where one store serves all requests.
 * @param env - what the store is made of: the request's environment.
 */
export function configFor(config: ResolvedConfig, env: unknown): ResolvedConfig {
  // A sealed store has no such method.
  const outer = config.store as SessionStore;
  if (outer.forRequest === undefined) return config;
  let made: SessionStore | undefined;
  return {
    ...config,
    get store() {
      return (made ??= outer.forRequest?.(env) ?? outer);
    },
  };
}
