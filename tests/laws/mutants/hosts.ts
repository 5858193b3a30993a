// Hosts that break one law each.
import { SessionMiddleware } from "kocha-session";
import type { MakeServer } from "kocha-session/testing";
import { createServer } from "node:http";
import { listen } from "../../support/listen.ts";

/** One fault of a host. */
export interface HostMutant {
  readonly fault: string;
  readonly caughtBy: readonly string[];
  readonly makeServer: MakeServer;
}

/** A host that calls the engine by hand, with one mistake. */
function faultyHost(mistake: {
  readonly commitsLate?: boolean;
  readonly swallowsErrors?: boolean;
  readonly dropsCookies?: boolean;
  readonly sharesSessions?: boolean;
  readonly forgetsVary?: boolean;
  readonly discardsThrown?: boolean;
  readonly hidesConflicts?: boolean;
}): MakeServer {
  return (config, handler) => {
    const engine = new SessionMiddleware(config);
    let shared: Awaited<ReturnType<typeof engine.open>> | undefined;
    const serve = async (cookie: string | undefined, url: URL) => {
      const session =
        mistake.sharesSessions === true && shared !== undefined
          ? shared
          : await engine.open(cookie);
      shared = session;
      let answer: { status: number; body: string; headers?: Readonly<Record<string, string>> };
      try {
        answer = await handler(session, url);
      } catch (error) {
        if (mistake.discardsThrown === true) session.discard();
        const { status = 500 } = error as { status?: number };
        answer = { status: mistake.hidesConflicts === true ? 200 : status, body: "error" };
      }
      if (mistake.commitsLate === true) {
        setImmediate(() => void Promise.resolve(engine.commit(session)).catch(() => undefined));
        return { answer, effects: undefined };
      }
      try {
        return { answer, effects: await engine.commit(session) };
      } catch (error) {
        const effects = await engine.commit(session);
        const status =
          mistake.swallowsErrors === true ? 200 : ((error as { status?: number }).status ?? 500);
        return { answer: { status, body: "" }, effects };
      }
    };
    return listen(
      createServer((request, response) => {
        void serve(request.headers.cookie, new URL(request.url ?? "/", "http://localhost")).then(
          ({ answer, effects }) => {
            for (const [name, value] of Object.entries(answer.headers ?? {}))
              response.setHeader(name, value);
            const own = response.getHeader("set-cookie");
            const kept = mistake.dropsCookies === true || own === undefined ? [] : [String(own)];
            const cookies = [...kept, ...(effects?.setCookie ?? [])];
            response.removeHeader("set-cookie");
            if (cookies.length > 0) response.setHeader("set-cookie", cookies);
            if (effects?.noStore === true) response.setHeader("cache-control", "no-store");
            if (effects?.vary === true && mistake.forgetsVary !== true)
              response.setHeader("vary", `${String(response.getHeader("vary") ?? "")}, Cookie`);
            response.statusCode = answer.status;
            response.end(answer.body);
          },
          (error: unknown) => {
            response.statusCode =
              mistake.swallowsErrors === true
                ? 200
                : ((error as { status?: number }).status ?? 500);
            response.end();
          },
        );
      }),
    );
  };
}

/** Hosts that break one law each. */
export const hostMutants: readonly HostMutant[] = [
  {
    fault: "commits after the response",
    caughtBy: [
      "L7 held: the client sees nothing of the response before the save is done (memory store)",
    ],
    makeServer: faultyHost({ commitsLate: true }),
  },
  {
    fault: "swallows what the commit throws",
    caughtBy: [
      "L9 save: a change that can't be saved is an error, and nothing is set (memory store)",
      "L8 large: what doesn't fit is the host's error response, and what was there stays (cookie store)",
    ],
    makeServer: faultyHost({ swallowsErrors: true }),
  },
  {
    fault: "drops the application's own Set-Cookie",
    caughtBy: ["L8 cookies: the application's own Set-Cookie stays beside ours"],
    makeServer: faultyHost({ dropsCookies: true }),
  },
  {
    fault: "hands one session to every client",
    caughtBy: ["L4 apart: clients on one connection never share a session"],
    makeServer: faultyHost({ sharesSessions: true }),
  },
  {
    fault: "forgets Vary",
    caughtBy: ["L11 caches: Vary with every look, no-store with every cookie, neither without"],
    makeServer: faultyHost({ forgetsVary: true }),
  },
  {
    fault: "drops the changes of a handler that threw",
    caughtBy: [
      "L7 thrown: what a handler changed before it threw is saved with the error (memory store)",
    ],
    makeServer: faultyHost({ discardsThrown: true }),
  },
  {
    fault: "answers a conflict with 200",
    caughtBy: [
      "L13 clear: one from before a clear is the host's 409, and nothing of it is saved (memory store)",
    ],
    makeServer: faultyHost({ hidesConflicts: true }),
  },
];

/** The same host without a mistake: it must pass, or the mutants prove nothing. */
export const handmadeHost: MakeServer = faultyHost({});
