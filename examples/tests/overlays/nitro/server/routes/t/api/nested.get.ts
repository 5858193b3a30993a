import { sessionOf } from "kocha-session/h3";
import { defineHandler, fetchWithEvent } from "nitro/h3";

/** Writes, and asks its own server to write, so many requests deep. */
export default defineHandler(async (event) => {
  const depth = Number(event.url.searchParams.get("depth"));
  sessionOf(event).set(`depth${depth}`, "1");
  if (depth === 1) return "bottom";
  return (await fetchWithEvent(event, `/t/api/nested?depth=${depth - 1}`)).text();
});
