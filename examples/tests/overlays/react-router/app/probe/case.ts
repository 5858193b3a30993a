// What a test leaves for the build that it imports.
import type { SessionConfig } from "kocha-session";
import type { ProbeHandler } from "kocha-session/testing";

export interface Case {
  readonly config: SessionConfig;
  readonly handler: ProbeHandler;
}

/** The case that imports this build; undefined in a server of its own. */
export function caseOfLaws(): Case | undefined {
  return (globalThis as { caseOfLaws?: Case }).caseOfLaws;
}
