import type { PageServerLoad } from "./$types";

/** Fetches as a browser does without cookies. */
export const load: PageServerLoad = async ({ fetch }) => {
  const anonymous = { credentials: "omit" } as const;
  return {
    dump: await (await fetch("/held", anonymous)).text(),
    write: (await fetch("/write?key=omitted&value=1", anonymous)).status,
  };
};
