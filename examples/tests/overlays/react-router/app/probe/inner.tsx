import { sessionContext } from "kocha-session/react-router";
import type { Route } from "./+types/inner";

export async function loader({ context }: Route.LoaderArgs) {
  const session = context.get(sessionContext);
  const before = [...session.keys()].toSorted().join(" ");
  await Promise.resolve();
  session.set("inner", "1");
  return { before };
}

export default function Inner({ loaderData }: Route.ComponentProps) {
  return <p id="before">{loaderData.before}</p>;
}
