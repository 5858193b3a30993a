import { setTimeout } from "node:timers/promises";

let code: string | undefined;

/** Tells what became of the last write that came too late. */
export default defineEventHandler(async (event) => {
  if (getQuery(event)["tell"] !== undefined) return code ?? "";
  code = undefined;
  await setTimeout(300);
  try {
    event.context.session?.set("late", "1");
    code = "written";
  } catch (error) {
    ({ code } = error as { code: string });
  }
  return code;
});
