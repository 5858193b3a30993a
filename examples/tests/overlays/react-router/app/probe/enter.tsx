import { sessionContext } from "kocha-session/react-router";
import { redirect } from "react-router";
import type { Route } from "./+types/enter";

/** A login that offers to bind the session to the browser's device. */
export async function action({ request, context }: Route.ActionArgs) {
  const session = context.get(sessionContext);
  await session.regenerate();
  session.set("user", "ann");
  session.bindDevice();
  const how = (await request.formData()).get("how");
  if (how === "thrown") throw redirect("/read", 303);
  return how === "returned" ? redirect("/read", 303) : { how };
}

export default function Enter() {
  return <p>logged in</p>;
}
