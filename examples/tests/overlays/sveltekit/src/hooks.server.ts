// The session among others in a sequence, and beside them the probe of the conformance kit, which a test
// serves in its own process.
import { type Handle, type HandleFetch, type HandleServerError, redirect } from "@sveltejs/kit";
import { sequence } from "@sveltejs/kit/hooks";
import { isSessionError } from "kocha-session";
import { sessionHandle } from "kocha-session/sveltekit";
import * as testing from "kocha-session/testing";
import { logIn } from "./lib/server/login";
import { enqueue } from "./lib/server/queue";
import { session } from "./lib/server/session";

const handles = new Map<string, Handle>();
const handlers = new Map<string, testing.ProbeHandler>();

/** What a test finds when it has imported the build. */
const kit = {
  testing,
  serve(port: number, config: Parameters<typeof sessionHandle>[0], handler: testing.ProbeHandler) {
    handles.set(String(port), sequence(sessionHandle(config), guard));
    handlers.set(String(port), handler);
  },
  handlers,
};
Object.assign(globalThis, { kit });

const before: Handle = async ({ event, resolve }) => {
  if (event.url.pathname === "/sequence/early") return new Response("early");
  const response = await resolve(event);
  response.headers.set("x-before", event.locals.session?.get("name") ?? "none");
  return response;
};

const guard: Handle = async ({ event, resolve }) => {
  const { session } = event.locals;
  const { pathname } = event.url;
  if (pathname === "/login-by-guard") {
    await logIn(session);
    redirect(303, "/read");
  }
  if (pathname.startsWith("/sequence/")) session.set("guard", pathname);
  if (pathname === "/sequence/thrown") {
    event.cookies.set("own", "1", { path: "/" });
    redirect(303, "/held");
  }
  if (pathname === "/sequence/moved") redirect(308, "/held");
  if (pathname === "/sequence/returned")
    return new Response(null, { status: 303, headers: { location: "/held" } });
  if (pathname === "/sequence/broken") throw new Error("a guard is out of order");
  return resolve(event);
};

const ours = sequence(before, sessionHandle(session), sessionHandle(session), guard);

export const handle: Handle = (input) => (handles.get(input.event.url.port) ?? ours)(input);

export const handleFetch: HandleFetch = ({ request, fetch }) =>
  request.headers.has("x-queue") ? enqueue(() => fetch(request)) : fetch(request);

export const handleError: HandleServerError = ({ error }) =>
  isSessionError(error) ? { message: error.code } : undefined;
