import { sessionOf } from "kocha-session/h3";
import { defineHandler, redirect } from "nitro/h3";

/** A login that offers to bind the session to the browser's device. */
export default defineHandler(async (event) => {
  const session = sessionOf(event);
  await session.regenerate();
  session.set("user", "ann");
  session.bindDevice();
  return redirect("/read", 303);
});
