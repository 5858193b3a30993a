import { Elysia, t } from "elysia";
import { session } from "kocha-session/elysia";
import { page, shop } from "./page.ts";
import { cart, config } from "./session.ts";

export const app = new Elysia()
  .use(session(config))
  .get("/", ({ session }) => page(shop(session)))
  .post(
    "/sign-in",
    async ({ session, body: { name }, redirect }) => {
      await session.regenerate(); // a new credential, the same data
      session.set("user", name);
      session.flash.set("notice", `Welcome, ${name}`);
      return redirect("/", 303);
    },
    { body: t.Object({ name: t.String() }) },
  )
  .post(
    "/add",
    async ({ session, body: { item }, redirect }) => {
      await cart.of(session).update(item, (count = 0) => count + 1);
      return redirect("/", 303);
    },
    { body: t.Object({ item: t.String() }) },
  )
  .post("/sign-out", async ({ session, redirect }) => {
    await session.destroy();
    return redirect("/", 303);
  })
  // A page that counts its visits while it answers.
  .get("/visit", async ({ session }) =>
    page(`<p id="visits">${await session.increment("visits")}</p>`),
  )
  // A slow request: it writes what it read a while ago.
  .get(
    "/late",
    async ({ session, query: { ms } }) => {
      const before = session.get("late");
      await Bun.sleep(ms);
      session.set("late", `${before}.`);
      return page("");
    },
    { query: t.Object({ ms: t.Numeric() }) },
  );
