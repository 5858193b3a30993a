import type { PageServerLoad } from "./$types";

/** Writes, and fetches what writes, too. */
export const load: PageServerLoad = async ({ fetch, locals: { session } }) => {
  session.set("outer", "1");
  const answers = await Promise.all([
    fetch("/write?key=inner&value=2"),
    fetch("/write?key=another&value=3&regenerate"),
  ]);
  return {
    cookies: answers.flatMap(({ headers }) => headers.getSetCookie()).length,
    seen: session.get("inner") + session.get("another"),
  };
};
