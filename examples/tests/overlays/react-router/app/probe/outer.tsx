import { sessionContext } from "kocha-session/react-router";
import { Outlet } from "react-router";
import type { Route } from "./+types/outer";

export async function loader({ context }: Route.LoaderArgs) {
  await Promise.resolve();
  context.get(sessionContext).set("outer", "1");
  return null;
}

export default function Outer() {
  return <Outlet />;
}
