import { sessionContext } from "kocha-session/react-router";
import type { Route } from "./+types/visit";

/** Counts as the page is loaded. */
export async function loader({ context }: Route.LoaderArgs) {
  return { visits: await context.get(sessionContext).increment("visits") };
}

export default function Visit({ loaderData }: Route.ComponentProps) {
  return <p id="visits">{loaderData.visits}</p>;
}
