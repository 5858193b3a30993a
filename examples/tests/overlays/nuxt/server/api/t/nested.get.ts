/** Writes, and asks its own server to write, so many requests deep. */
export default defineEventHandler(async (event): Promise<string> => {
  const depth = Number(getQuery(event)["depth"]);
  const { session } = event.context;
  session?.set(`depth${depth}`, "1");
  const deeper =
    depth > 1 ? await event.$fetch<string>(`/api/t/nested?depth=${depth - 1}`) : "bottom";
  return `${depth} ${deeper}`;
});
