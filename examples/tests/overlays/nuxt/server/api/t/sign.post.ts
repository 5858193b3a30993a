/** Signs in or out. */
export default defineEventHandler(async (event) => {
  const { session } = event.context;
  const { way } = getQuery(event);
  if (way === "out") await session?.destroy();
  if (way === "in") {
    await session?.regenerate();
    session?.set("user", "ada");
  }
  return way;
});
