import { sessionOf } from "kocha-session/h3";
import { defineHandler, fetchWithEvent } from "nitro/h3";

/** Writes before, between and after requests to its own server, side by side and nested, that write. */
export default defineHandler(async (event) => {
  const session = sessionOf(event);
  session.set("before", "1");
  const paths = ["/t/api/write?key=one", "/t/api/write?key=two", "/t/api/nested?depth=3"];
  const answers = await Promise.all(paths.map((path) => fetchWithEvent(event, path)));
  session.set("after", session.get("user"));
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  return [...texts, answers.flatMap(({ headers }) => headers.getSetCookie()).length].join(" ");
});
