import { createFileRoute } from "@tanstack/react-router";
import { enter } from "../functions.ts";

/** Where a form finds the login's server function, in a case of the laws. */
export const Route = createFileRoute("/entry")({
  server: { handlers: { GET: () => new Response(`/own${enter.url}`) } },
});
