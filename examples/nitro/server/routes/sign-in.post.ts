import { sessionOf } from "kocha-session/h3";
import { defineHandler } from "nitro/h3";
import { toShop } from "../utils/page.ts";

export default defineHandler(async (event) => {
  const session = sessionOf(event);
  const name = String((await event.req.formData()).get("name"));
  await session.regenerate(); // a new credential, the same data
  session.set("user", name);
  session.flash.set("notice", `Welcome, ${name}`);
  return toShop();
});
