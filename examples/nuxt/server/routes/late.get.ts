import { setTimeout } from "node:timers/promises";

/** Waits between its read and its write, for `ms` milliseconds. */
export default defineEventHandler(async (event) => {
  const { session } = event.context;
  const before = session?.get("late");
  await setTimeout(Number(getQuery(event).ms));
  session?.set("late", `${before}.`);
  return "late";
});
