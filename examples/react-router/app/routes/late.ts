import { setTimeout } from "node:timers/promises";
import { sessionContext } from "kocha-session/react-router";
import type { Route } from "./+types/late";

/** Waits between its read and its write, for `ms` milliseconds. */
export async function loader({ request, context }: Route.LoaderArgs) {
  const session = context.get(sessionContext);
  const before = session.get("late");
  await setTimeout(Number(new URL(request.url).searchParams.get("ms")));
  session.set("late", `${before}.`);
  return new Response("late");
}
