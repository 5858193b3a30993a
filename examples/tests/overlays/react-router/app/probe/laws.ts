import { sessionContext } from "kocha-session/react-router";
import type { Route } from "./+types/laws";
import { caseOfLaws } from "./case";

const ofTheCase = caseOfLaws();

async function answer({ request, context }: Route.LoaderArgs | Route.ActionArgs) {
  if (ofTheCase === undefined) return new Response("no case", { status: 404 });
  const url = new URL(request.url.replace("/laws/", "/"));
  const { status, body, headers = {} } = await ofTheCase.handler(context.get(sessionContext), url);
  return new Response(status === 204 || status === 303 ? null : body, { status, headers });
}

export const loader = answer;
export const action = answer;
