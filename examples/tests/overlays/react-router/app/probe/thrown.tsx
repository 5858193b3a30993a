import { sessionContext } from "kocha-session/react-router";
import { redirect } from "react-router";
import type { Route } from "./+types/thrown";

export function loader({ context }: Route.LoaderArgs) {
  context.get(sessionContext).set("thrown", "by the loader");
  throw new Response("a teapot", { status: 418, statusText: "I'm a teapot" });
}

export function action({ context }: Route.ActionArgs) {
  context.get(sessionContext).set("thrown", "by the action");
  throw redirect("/written");
}

export default function Thrown() {
  return <p>never</p>;
}
