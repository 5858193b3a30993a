import type { PageLoad } from "./$types";

/** Runs on the server for the first page, in the browser after that. */
export const load: PageLoad = async ({ fetch }) => {
  await fetch("/write?key=universal&value=1");
  return { dump: await (await fetch("/held")).text() };
};
