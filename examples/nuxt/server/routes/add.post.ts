import { cart } from "../utils/session";

export default defineEventHandler(async (event) => {
  const { item } = await readBody<{ item: string }>(event);
  const { session } = event.context;
  if (session) await cart.of(session).update(item, (count = 0) => count + 1);
  return sendRedirect(event, "/", 303);
});
