import { sessionOf } from "kocha-session/h3";

/** A login that offers to bind the session to the browser's device. */
export default defineEventHandler(async (event) => {
  const session = sessionOf(event);
  await session.regenerate();
  session.set("user", "ann");
  session.bindDevice();
  return sendRedirect(event, "/read", 303);
});
