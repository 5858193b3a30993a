// What a test leaves for the build that it imports.
import type { AsyncLocalStorage } from "node:async_hooks";
import type { SessionConfig } from "kocha-session";
import type { ProbeHandler } from "kocha-session/testing";

interface Case {
  readonly config: SessionConfig;
  readonly handler: ProbeHandler;
}

/** The case that asks this build; undefined in a server of its own. */
export function caseOfLaws(): Case | undefined {
  return (globalThis as { laws?: AsyncLocalStorage<Case> }).laws?.getStore();
}
