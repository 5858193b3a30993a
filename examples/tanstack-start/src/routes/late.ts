import { setTimeout } from "node:timers/promises";
import { createFileRoute } from "@tanstack/react-router";

/** A server route, which waits between its read and its write, for `ms` milliseconds. */
export const Route = createFileRoute("/late")({
  server: {
    handlers: {
      GET: async ({ request, context: { session } }) => {
        const before = session.get("late");
        await setTimeout(Number(new URL(request.url).searchParams.get("ms")));
        session.set("late", `${before}.`);
        return new Response("late");
      },
    },
  },
});
