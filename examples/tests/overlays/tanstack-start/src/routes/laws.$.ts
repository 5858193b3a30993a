import { createFileRoute } from "@tanstack/react-router";
import { caseOfLaws } from "../laws.ts";

export const Route = createFileRoute("/laws/$")({
  server: {
    handlers: {
      ANY: async ({ request, context: { session } }) => {
        const ofTheCase = caseOfLaws();
        if (ofTheCase === undefined) return new Response("no case", { status: 404 });
        const url = new URL(request.url.replace("/laws/", "/"));
        const { status, body, headers = {} } = await ofTheCase.handler(session, url);
        return new Response(status === 204 || status === 303 ? null : body, { status, headers });
      },
    },
  },
});
