import { text, type RequestHandler } from "@sveltejs/kit";
import { enqueue } from "../../lib/server/queue";

/** Fetches by a queue: from here, or from `handleFetch`. */
export const GET: RequestHandler = async ({ url, fetch, locals: { session } }) => {
  session.set("page", "queued");
  const inner = "/write?key=inner&value=1";
  const { status } = url.searchParams.has("here")
    ? await enqueue(() => fetch(inner))
    : await fetch(inner, { headers: { "x-queue": "1" } });
  return text(String(status));
};
