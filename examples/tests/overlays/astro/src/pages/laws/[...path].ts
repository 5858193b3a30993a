import type { APIRoute } from "astro";
import { caseOf } from "../../cases";

export const ALL: APIRoute = async ({ request, locals }) => {
  const url = new URL(request.url.replace("/laws/", "/"));
  const answer = await caseOf(request)?.handler(locals.session, url);
  if (answer === undefined) return new Response("no case", { status: 400 });
  const { status, body, headers = {} } = answer;
  return new Response(status === 204 || status === 303 ? null : body, { status, headers });
};
