import type { APIRoute } from "astro";

/** What the session holds; `set` writes first, `flash` leaves a message, `wait` waits before it. */
export const ALL: APIRoute = ({ url, locals: { session } }) => {
  const value = url.searchParams.get("set");
  if (value !== null) session.set("set", value);
  const message = url.searchParams.get("flash");
  if (message !== null) session.flash.set("notice", message);
  return Response.json(Object.fromEntries(session));
};
