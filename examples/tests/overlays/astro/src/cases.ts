// The cases of the laws, by their ports; the kit is of the same copy of the package as the sessions.
import { type AstroMiddleware, sessionMiddleware } from "kocha-session/astro";
import * as testing from "kocha-session/testing";
import type { SessionConfig } from "kocha-session";

export interface Case {
  readonly middleware: AstroMiddleware;
  readonly handler: testing.ProbeHandler;
}

const cases = new Map<string, Case>();

export function caseOf({ headers }: Request): Case | undefined {
  return cases.get(headers.get("x-case") ?? "");
}

Object.assign(globalThis, {
  kit: {
    testing,
    serve(port: string, config: SessionConfig, handler: testing.ProbeHandler): void {
      cases.set(port, { middleware: sessionMiddleware(config), handler });
    },
  },
});
