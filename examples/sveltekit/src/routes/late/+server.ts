import { setTimeout } from "node:timers/promises";
import { text } from "@sveltejs/kit";
import type { RequestHandler } from "./$types";

/** Waits between its read and its write, for `ms` milliseconds. */
export const GET: RequestHandler = async ({ url, locals: { session } }) => {
  const before = session.get("late");
  await setTimeout(Number(url.searchParams.get("ms")));
  session.set("late", `${before}.`);
  return text("late");
};
