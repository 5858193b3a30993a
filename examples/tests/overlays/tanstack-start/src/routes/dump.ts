import { createFileRoute } from "@tanstack/react-router";

export const Route = createFileRoute("/dump")({
  server: {
    handlers: { GET: ({ context: { session } }) => Response.json([...session].toSorted()) },
  },
});
