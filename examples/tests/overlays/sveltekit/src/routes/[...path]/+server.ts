import { error, type RequestHandler } from "@sveltejs/kit";
import { ConflictError } from "kocha-session/errors";
import type { ProbeHandler } from "kocha-session/testing";

/** The probe's handler. */
export const fallback: RequestHandler = async ({ url, locals: { session } }) => {
  const { kit } = globalThis as unknown as { kit: { handlers: Map<string, ProbeHandler> } };
  const handler = kit.handlers.get(url.port);
  if (handler === undefined) error(404);
  try {
    const { status, body, headers = {} } = await handler(session, url);
    return new Response(status === 204 || status === 303 ? null : body, { status, headers });
  } catch (problem) {
    // SvelteKit answers an error of any other class than its own with 500.
    if (problem instanceof ConflictError) error(problem.status, "try again");
    throw problem;
  }
};

export const trailingSlash = "ignore";
