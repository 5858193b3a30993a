// The example with routes of the tests' own: what Elysia does with an answer, around a session.
import { Elysia, sse } from "elysia";
import { sessionOf } from "kocha-session/fetch";
import { session } from "kocha-session/elysia";
import { app } from "./app.ts";
import { config } from "./session.ts";

const account = new Elysia({ name: "account" })
  .use(session(config))
  .get("/account", ({ session }) => ({ user: session.get("user") }));

app
  .onError(({ code, session, path }) => {
    session?.set("error", `${code} ${path}`);
    return `sorry: ${code}, ${session?.get("user")}`;
  })
  .use(account)
  .use(account)
  .get("/dump", ({ session }) => [...session].toSorted())
  .get("/own", ({ session, cookie: { theme } }) => {
    theme?.set({ value: "dark", path: "/" });
    session.set("user", "ada");
    return "own";
  })
  .get("/broken", ({ session }) => {
    session.set("broken", "1");
    throw new Error("out of order");
  })
  .get("/stream", async function* stream({ session }) {
    session.set("streamed", "1");
    yield "one ";
    await Bun.sleep(50);
    try {
      session.set("late", "1");
    } catch (error) {
      yield (error as { code: string }).code;
    }
    yield ` ${session.get("streamed")}`;
  })
  .get("/events", async function* events({ session }) {
    session.set("events", "1");
    for (const data of ["one", "two"]) {
      yield sse({ event: "count", data });
      await Bun.sleep(20);
    }
  })
  .get("/still", "still")
  .get("/response", new Response("still"))
  .group("/group", (group) =>
    group
      .use(session(config))
      .get("/write", ({ session }) => {
        session.set("group", "1");
        return "written";
      })
      .get("/socketless", ({ request }) => sessionOf(request).get("user")),
  )
  .ws("/socket", {
    message(socket, message) {
      const { session } = socket.data;
      try {
        session.set("late", String(message));
        socket.send("changed");
      } catch (error) {
        socket.send(`${session.get("user")} ${(error as { code: string }).code}`);
      }
    },
  })
  .listen(process.env["PORT"] ?? 3000);
