export default defineEventHandler(async (event) => {
  const { name } = await readBody<{ name: string }>(event);
  const { session } = event.context;
  await session?.regenerate();
  session?.set("user", name);
  session?.flash.set("notice", `Welcome, ${name}`);
  return sendRedirect(event, "/", 303);
});
