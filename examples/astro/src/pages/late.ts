import { setTimeout } from "node:timers/promises";
import type { APIRoute } from "astro";

/** Waits between its read and its write, for `ms` milliseconds. */
export const GET: APIRoute = async ({ url, locals: { session } }) => {
  const before = session.get("late");
  await setTimeout(Number(url.searchParams.get("ms")));
  session.set("late", `${before}.`);
  return new Response("late");
};
