import { setTimeout } from "node:timers/promises";

/** Whose session it is, after some milliseconds. */
export default defineEventHandler(async (event) => {
  await setTimeout(Number(getQuery(event)["ms"] ?? 0));
  return event.context.session?.get("user") ?? "";
});
