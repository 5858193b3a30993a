import { text, type RequestHandler } from "@sveltejs/kit";

/** Sets ?key= to ?value=, also for the pages that fetch this while they render. */
export const GET: RequestHandler = async ({ url, locals: { session } }) => {
  if (url.searchParams.has("regenerate")) await session.regenerate();
  session.set(url.searchParams.get("key") ?? "key", url.searchParams.get("value") ?? "1");
  return text("written");
};
