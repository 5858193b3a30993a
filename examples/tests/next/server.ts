// A production build of Next.js, served by this process: its route handlers and pages reach the test's own
// stores by a global.
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { SessionConfig, SessionStore } from "kocha-session";
import { SessionCookieStore, SessionMemoryStore } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import type { deviceBinding } from "kocha-session/device";
import type { NextSessions, sessions } from "kocha-session/next";
import type { hostLaws } from "kocha-session/testing";
import { CookieJar } from "tough-cookie";
import { freshKey } from "../../../tests/support/keys.ts";
import { listen } from "../../../tests/support/listen.ts";
import type { Project } from "../lib/project.ts";

/** The kinds of stores that the transcripts run on, by the names of their cookies. */
export const kinds = ["ticketed", "sealed", "merging"] as const;
/** One of them. */
export type Kind = (typeof kinds)[number];

/** The functions of a copy of the build's that make a site whose sessions are bound to devices. */
interface SiteBuild {
  readonly sessions: typeof sessions;
  readonly deviceBinding: typeof deviceBinding;
}

/** The functions that the test takes from the build. */
export interface Build extends SiteBuild {
  readonly hostLaws: typeof hostLaws;
}

/** The state that the build's handlers and the test share: the overlay's `lab/sessions.ts` reads it. */
export interface Lab {
  readonly configs: Readonly<Record<Kind | "memory", () => SessionConfig>>;
  /** Codes of errors that nobody answers. */
  readonly codes: string[];
  probe: (build: Build) => (request: Request, context: unknown) => Promise<Response>;
  /** The sessions of the site whose sessions are bound to devices. */
  site: (build: SiteBuild) => NextSessions;
  /** Resolves when the responses that are open now have ended, and Next has noticed. */
  ended: () => Promise<void>;
  /** A browser's cookie jar, for the kit in the build. */
  readonly newJar: () => CookieJar;
  /** How often the server-side store was asked. */
  loads: number;
  /** Makes the server-side store fail. */
  fault: "load" | "save" | undefined;
}

/** A lab with an asynchronous server-side store. */
export function makeLab(): Lab {
  const memory = new SessionMemoryStore();
  const signingKey = freshKey();
  const store: SessionStore = {
    capabilities: memory.capabilities,
    load: async (selector) => {
      lab.loads++;
      await pause();
      if (lab.fault === "load") throw new Error("the store is down");
      return memory.load(selector);
    },
    save: async (selector, change) => {
      await pause();
      if (lab.fault === "save") throw new Error("the store is down");
      return memory.save(selector, change);
    },
  };
  const keys = { secretKey: freshKey(), signingKey: freshKey() };
  const secure = "auto";
  const sealed = new SessionCookieStore(keys);
  const merging = new SessionCookieStore({ ...keys, merge: mergingCookies() });
  const lab: Lab = {
    configs: {
      ticketed: () => ({ name: "ticketed", store, signingKey, secure }),
      sealed: () => ({ name: "sealed", store: sealed, secure }),
      merging: () => ({ name: "merging", store: merging, secure }),
      // A store of its own for each copy of the module that asks.
      memory: () => ({ name: "memory", store: new SessionMemoryStore(), signingKey, secure }),
    },
    codes: [],
    probe: () => () => Promise.reject(new Error("no probe")),
    site: () => {
      throw new Error("no site");
    },
    ended: () => Promise.reject(new Error("nothing is served")),
    newJar: () => new CookieJar(),
    loads: 0,
    fault: undefined,
  };
  return lab;
}

/** A store across a network takes about so long. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
}

type Serve = (request: IncomingMessage, response: object) => Promise<void>;
interface NextServer {
  prepare(): Promise<void>;
  getRequestHandler(): Serve;
  close(): Promise<void>;
}

/** A build that is served from this process. */
export interface Served {
  readonly url: string;
  /** What answers there. */
  readonly listener: RequestListener;
  readonly close: () => Promise<void>;
}

/** Serves the project's build from this process. */
export async function serve(project: Project, lab: Lab): Promise<Served> {
  Object.assign(globalThis, { lab });
  Object.assign(process.env, { NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" });
  const next = createRequire(join(project.folder, "package.json"))("next") as (
    options: object,
  ) => NextServer;
  let handle: Serve = () => Promise.reject(new Error("not ready"));
  let open = 0;
  let waiting: (() => void)[] = [];
  lab.ended = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
    });
  const listener: RequestListener = (request, response) => {
    open++;
    response.once("close", () => {
      open--;
      if (open > 0) return;
      const told = waiting;
      waiting = [];
      setImmediate(() => {
        for (const tell of told) tell();
      });
    });
    void handle(request, response);
  };
  const server = await listen(createServer(listener));
  // Where Next asks itself for pages.
  const { hostname, port } = new URL(server.url);
  const app = next({ dev: false, dir: project.folder, hostname, port: Number(port) });
  await app.prepare();
  handle = app.getRequestHandler();
  return {
    url: server.url,
    listener,
    close: async () => {
      await server.close();
      await app.close();
    },
  };
}
