import { setTimeout } from "node:timers/promises";
import router from "@adonisjs/core/services/router";
import server from "@adonisjs/core/services/server";
import { cart } from "../config/session.ts";
import { page, shop } from "./page.ts";

server.use([() => import("@adonisjs/core/bodyparser_middleware")]);

router.get("/", ({ request, response }) => {
  response.type("html");
  return page(shop(request.request.session));
});

router.post("/sign-in", async ({ request, response }) => {
  const { session } = request.request;
  const name = String(request.input("name"));
  await session.regenerate(); // a new credential, the same data
  session.set("user", name);
  session.flash.set("notice", `Welcome, ${name}`);
  return response.redirect().status(303).toPath("/");
});

router.post("/add", async ({ request, response }) => {
  const lines = cart.of(request.request.session);
  await lines.update(String(request.input("item")), (count = 0) => count + 1);
  return response.redirect().status(303).toPath("/");
});

router.post("/sign-out", async ({ request, response }) => {
  await request.request.session.destroy();
  return response.redirect().status(303).toPath("/");
});

// A page that counts its visits while it answers.
router.get("/visit", async ({ request, response }) => {
  response.type("html");
  return page(`<p id="visits">${await request.request.session.increment("visits")}</p>`);
});

// A slow request: it writes what it read a while ago.
router.get("/late", async ({ request }) => {
  const { session } = request.request;
  const before = session.get("late");
  await setTimeout(Number(request.input("ms")));
  session.set("late", `${before}.`);
  return "late";
});
