import { text, type RequestHandler } from "@sveltejs/kit";

/** Does the work of other clients within a request of its own. */
export const GET: RequestHandler = async ({ fetch, locals: { session } }) => {
  session.set("page", "run");
  await fetch("/run/inside");
  return text("run");
};
