import { setTimeout } from "node:timers/promises";
import { sessionOf } from "kocha-session/h3";
import { defineHandler } from "nitro/h3";

/** Waits between its read and its write, for `ms` milliseconds. */
export default defineHandler(async (event) => {
  const session = sessionOf(event);
  const before = session.get("late");
  await setTimeout(Number(event.url.searchParams.get("ms")));
  session.set("late", `${before}.`);
  return "late";
});
