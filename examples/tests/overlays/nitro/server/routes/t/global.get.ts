import { defineHandler } from "nitro/h3";

/** By the global fetch, which brings nothing of the page; what it should bring is given to it. */
export default defineHandler(async (event) => {
  const headers = { cookie: event.req.headers.get("cookie") ?? "" };
  const answers = [
    await fetch("/t/api/who"),
    await fetch("/t/api/who", { headers }),
    await fetch("/t/api/write?key=lost", { headers }),
  ];
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  return texts.map((text) => (text === "" ? "nobody" : text)).join(" ");
});
