import { setTimeout } from "node:timers/promises";
import { sessionContext } from "kocha-session/react-router";
import type { Session } from "kocha-session";
import { Suspense } from "react";
import { Await } from "react-router";
import type { Route } from "./+types/streamed";

/** Writes later than the response begins, and tells what came of it. */
async function writeLate(session: Session): Promise<string> {
  await setTimeout(300);
  try {
    session.set("late", "1");
    return `written beside ${session.get("early")}`;
  } catch (error) {
    return `${(error as { code?: string }).code} beside ${session.get("early")}`;
  }
}

export function loader({ context }: Route.LoaderArgs) {
  const session = context.get(sessionContext);
  session.set("early", "yes");
  return { late: writeLate(session) };
}

export default function Streamed({ loaderData }: Route.ComponentProps) {
  return (
    <Suspense fallback={<p id="wait">wait</p>}>
      <Await resolve={loaderData.late}>{(text) => <p id="late">{text}</p>}</Await>
    </Suspense>
  );
}
