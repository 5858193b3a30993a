import { sessionOf } from "kocha-session/h3";
import { defineHandler } from "nitro/h3";
import { toShop } from "../utils/page.ts";
import { cart } from "../utils/session.ts";

export default defineHandler(async (event) => {
  const item = String((await event.req.formData()).get("item"));
  await cart.of(sessionOf(event)).update(item, (count = 0) => count + 1);
  return toShop();
});
