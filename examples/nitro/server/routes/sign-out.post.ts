import { sessionOf } from "kocha-session/h3";
import { defineHandler } from "nitro/h3";
import { toShop } from "../utils/page.ts";

export default defineHandler(async (event) => {
  await sessionOf(event).destroy();
  return toShop();
});
