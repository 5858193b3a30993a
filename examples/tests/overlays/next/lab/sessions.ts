// The sessions of the transcripts: their stores are the test's own, which runs in this process.
import type { SessionConfig } from "kocha-session";
import type { deviceBinding } from "kocha-session/device";
import { type NextSessions, sessions } from "kocha-session/next";
import type { hostLaws } from "kocha-session/testing";

/** The functions of a copy of the build's that make a site whose sessions are bound to devices. */
export interface SiteBuild {
  readonly sessions: typeof sessions;
  readonly deviceBinding: typeof deviceBinding;
}

/** The functions that the test takes from the build. */
export interface Build extends SiteBuild {
  readonly hostLaws: typeof hostLaws;
}

/** What the test gives and gets. */
export interface Lab {
  readonly configs: Readonly<Record<Kind, () => SessionConfig>>;
  /** Codes of errors that nobody answers. */
  readonly codes: string[];
  /** The route of hostLaws' probe, of the functions in the build. */
  readonly probe: (build: Build) => (request: Request, context: unknown) => Promise<Response>;
  /** The sessions of the site whose sessions are bound to devices. */
  readonly site: (build: SiteBuild) => NextSessions;
  /** Resolves when the responses that are open have ended. */
  readonly ended: () => Promise<void>;
  /** A browser's cookie jar. */
  readonly newJar: () => unknown;
}

export const kinds = ["ticketed", "sealed", "merging", "memory"] as const;
export type Kind = (typeof kinds)[number];

export const lab = (): Lab => (globalThis as unknown as { lab: Lab }).lab;

const of = (kind: Kind): NextSessions => sessions(() => lab().configs[kind]());
const all: Readonly<Record<string, NextSessions>> = {
  ticketed: of("ticketed"),
  sealed: of("sealed"),
  merging: of("merging"),
  memory: of("memory"),
};

/** The functions of one kind of store. */
export function sessionsOf(kind: string): NextSessions {
  const found = all[kind];
  if (found === undefined) throw new Error(`no sessions of the kind ${kind}`);
  return found;
}

/** Every page and route handler of the transcripts has this parameter. */
export interface Props {
  readonly params: Promise<{ readonly kind: string }>;
}

/** The code of the error that a call throws. */
export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
}
