import { setTimeout } from "node:timers/promises";
import { route } from "../../session";

/** Waits between its read and its write, as a slow request does. */
export const GET = route(async (request, session) => {
  const before = session.get("late");
  await setTimeout(Number(request.nextUrl.searchParams.get("ms")));
  session.set("late", `${before}+`);
  return new Response("late");
});
