import type { Session } from "kocha-session";

/** A login that offers to bind the session to the browser's device. */
export async function logIn(session: Session): Promise<void> {
  await session.regenerate();
  session.set("user", "ann");
  session.bindDevice();
}
