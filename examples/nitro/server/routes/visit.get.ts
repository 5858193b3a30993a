import { defineHandler, fetchWithEvent } from "nitro/h3";
import { page } from "../utils/page.ts";

/** A page that counts its visits while it answers, by a route of its own server, which shares its session. */
export default defineHandler(async (event) => {
  const answer = await fetchWithEvent(event, "/api/visit", { method: "POST" });
  return page(`<p id="visits">${await answer.text()}</p>`);
});
