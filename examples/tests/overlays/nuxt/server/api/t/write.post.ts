import { setTimeout } from "node:timers/promises";

/** Writes a key, after some milliseconds; gives the key, or the error's code. */
export default defineEventHandler(async (event) => {
  const { key, value = "1", ms = 0 } = getQuery<Record<string, string>>(event);
  await setTimeout(Number(ms));
  try {
    event.context.session?.set(key ?? "", value);
    return key;
  } catch (error) {
    return (error as { code: string }).code;
  }
});
