import { cart } from "../utils/session";

/** What the page shows. */
export default defineEventHandler(({ context: { session } }) => ({
  user: session?.get("user"),
  notice: session?.flash.get("notice"),
  cart: session && [...cart.of(session)].map(([item, count]) => ({ item, count })),
}));
