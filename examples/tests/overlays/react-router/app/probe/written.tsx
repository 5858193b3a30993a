import { sessionContext } from "kocha-session/react-router";
import type { Route } from "./+types/written";

/** What the session holds; `set` writes first. */
export function loader({ request, context }: Route.LoaderArgs) {
  const session = context.get(sessionContext);
  const value = new URL(request.url).searchParams.get("set");
  if (value !== null) session.set("written", value);
  return { entries: JSON.stringify([...session].toSorted()) };
}

export default function Written({ loaderData }: Route.ComponentProps) {
  return <p id="entries">{loaderData.entries}</p>;
}
