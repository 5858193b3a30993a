// hostLaws on a build: the kit and the route handlers are those of the build, so that both know the same
// classes of sessions.
import type { NextSessions } from "kocha-session/next";
import type { ConformanceCase, MakeServer, ProbeHandler } from "kocha-session/testing";
import type { Build, Lab } from "./server.ts";

/** An error's answer, with its status. */
export function answerError(error: unknown): Response {
  return new Response("error", { status: (error as { status?: number }).status ?? 500 });
}

/** The probe route of a handler. */
export function probeOf(
  { route }: NextSessions,
  handler: ProbeHandler,
): (request: Request, context: unknown) => Promise<Response> {
  return route(async (request, session) => {
    const probed = new URL(request.url);
    probed.pathname = probed.pathname.replace(/^\/probe/, "");
    const { status, body, headers } = await handler(session, probed);
    const text = status === 204 || status === 303 ? null : body;
    return new Response(text, { status, ...(headers !== undefined && { headers }) });
  });
}

/** Runs cases of the kit on the probe route. */
export function lawServer(running: () => { readonly url: string; readonly lab: Lab }): {
  readonly run: (id: string) => Promise<void>;
} {
  const makeServer =
    ({ sessions }: Build, url: string, lab: Lab): MakeServer =>
    (config, handler) => {
      const serve = probeOf(sessions(config, { onError: answerError }), handler);
      lab.probe = () => serve;
      return Promise.resolve({ url: `${url}/probe`, close: async () => undefined });
    };
  return {
    run: async (id) => {
      const { url, lab } = running();
      const cases = await new Promise<readonly ConformanceCase[]>((resolve, reject) => {
        lab.probe = (build) => {
          resolve(build.hostLaws(makeServer(build, url, lab), { name: "Next.js" }));
          return () => Promise.resolve(new Response());
        };
        fetch(`${url}/probe`).catch(reject);
      });
      const found = cases.find((one) => one.id === id);
      if (found === undefined) throw new Error(`the kit has no case ${id}`);
      await found.run();
    },
  };
}
