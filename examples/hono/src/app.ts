import { Hono } from "hono";
import type { SessionConfigSource } from "kocha-session";
import { sessionMiddleware } from "kocha-session/hono";
import { page, shop } from "./page.ts";
import { cart } from "./session.ts";

/** The shop, on any runtime. */
export function shopApp(config: SessionConfigSource): Hono {
  const app = new Hono();
  app.use(sessionMiddleware(config));
  app.get("/", (c) => c.html(page(shop(c.get("session")))));
  app.post("/sign-in", async (c) => {
    const session = c.get("session");
    const name = String((await c.req.parseBody())["name"]);
    await session.regenerate(); // a new credential, the same data
    session.set("user", name);
    session.flash.set("notice", `Welcome, ${name}`);
    return c.redirect("/", 303);
  });
  app.post("/add", async (c) => {
    const item = String((await c.req.parseBody())["item"]);
    await cart.of(c.get("session")).update(item, (count = 0) => count + 1);
    return c.redirect("/", 303);
  });
  app.post("/sign-out", async (c) => {
    await c.get("session").destroy();
    return c.redirect("/", 303);
  });
  // A page that counts its visits while it answers.
  app.get("/visit", async (c) =>
    c.html(page(`<p id="visits">${await c.get("session").increment("visits")}</p>`)),
  );
  // A slow request: it writes what it read a while ago.
  app.get("/late", async (c) => {
    const session = c.get("session");
    const before = session.get("late");
    await new Promise((resolve) => setTimeout(resolve, Number(c.req.query("ms"))));
    session.set("late", `${before}.`);
    return c.text("late");
  });
  return app;
}
