import type { PageServerLoad } from "./$types";

/** Counts as the page is rendered. */
export const load: PageServerLoad = async ({ locals: { session } }) => ({
  visits: await session.increment("visits"),
});
