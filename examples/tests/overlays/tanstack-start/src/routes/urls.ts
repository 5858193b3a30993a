import { createFileRoute } from "@tanstack/react-router";
import { act } from "../functions.ts";

/** Where the server function is called by hand. */
export const Route = createFileRoute("/urls")({
  server: { handlers: { GET: () => Response.json({ act: act.url }) } },
});
