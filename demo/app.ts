// The shop itself: Express, the session middleware, and a handler for each page. Everything that it
// remembers of a visitor is in the visitor's session.
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
} from "express";
import { DAY, LimitError, type SessionConfig } from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
import { cart, MAX_COUNT, type Product, products } from "./catalog.ts";
import { ABSOLUTE_TIMEOUT, IDLE_TIMEOUT, REMEMBERED } from "./config.ts";
import { addDevices, deviceLabel } from "./devices.ts";
import type { Html } from "./html.ts";
import * as pages from "./pages.ts";
import { style } from "./style.ts";

/** What browsers keep of one cookie, name and value: RFC 6265bis section 5.6. */
const MAX_COOKIE_BYTES = 4096;
const KILOBYTE = 1024;

/** The shop as an Express application. */
export function createShop(config: SessionConfig): Express {
  const app = express();
  app.disable("x-powered-by");
  // A cookie store keeps no sessions that it could list.
  const rows = "sealed" in config.store ? undefined : config.store;
  app.set("lists", rows?.list !== undefined);
  // Before the session: a stylesheet is nobody's in particular.
  app.get("/style.css", (_, response) => response.type("css").send(style));
  app.use(sessionMiddleware(config), sameOrigin, express.urlencoded({ extended: false }));

  app.get("/", (request, response) => {
    const counts = Object.fromEntries(cart.of(request.session));
    response.send(frame(request, "Shop", pages.shop(counts)));
  });
  app.get("/cart", (request, response) => {
    response.send(frame(request, "Cart", pages.cart(cartLines(request))));
  });
  app.post("/cart/add", async (request, response) => {
    const product = findProduct(request);
    if (product !== undefined) {
      // One step at the store: of clicks at once each counts.
      const addOne = (count = 0): number => Math.min(count + 1, MAX_COUNT);
      await cart.of(request.session).update(product.id, addOne);
      request.session.flash.set("notice", `${product.name} is in your cart.`);
    }
    response.redirect(303, "/");
  });
  app.post("/cart/remove", (request, response) => {
    cart.of(request.session).delete(field(request, "id"));
    response.redirect(303, "/cart");
  });
  app.get("/login", (request, response) => {
    response.send(frame(request, "Log in", pages.login()));
  });
  app.post("/login", async (request, response) => {
    const name = field(request, "name").trim().slice(0, 40);
    if (name !== "") {
      const { session } = request;
      // Before anything is trusted to it: who had the credential until now has lost it.
      await session.regenerate();
      session.bind(name, { label: deviceLabel(request) });
      session.set("name", name);
      const remember = field(request, "remember") === "1";
      session.cookieExpires = remember ? REMEMBERED : 0;
      session.sessionExpires = remember ? REMEMBERED : IDLE_TIMEOUT;
      session.flash.set("notice", `Welcome, ${name}.`);
    }
    response.redirect(303, "/");
  });
  app.post("/logout", async (request, response) => {
    await request.session.destroy();
    response.redirect(303, "/");
  });
  app.post("/logout-everywhere", async (request, response) => {
    const { session } = request;
    const user = session.get("name");
    if (user !== "") {
      // A server-side store ends the sessions that it lists; a cookie store needs to be told of them.
      if (config.revocations === undefined) await rows?.destroyAll?.(user);
      else await config.revocations.revokeSubject(user);
    }
    await session.destroy();
    response.redirect(303, "/");
  });
  app.get("/session", (request, response) => {
    response.send(frame(request, "Session", pages.sessionPage(facts(request, config))));
  });
  app.post("/session/fill", (request, response) => {
    request.session.set(`filler ${request.session.size}`, "x".repeat(KILOBYTE));
    response.redirect(303, "/session");
  });
  app.post("/session/clear", (request, response) => {
    request.session.clear();
    response.redirect(303, "/session");
  });
  if (rows?.list !== undefined) addDevices(app, rows, frame);
  app.use(showError);
  return app;
}

/** Changes come from our own pages alone; a session says who asks, not whether they meant to. */
const sameOrigin: RequestHandler = (request, response, next) => {
  const site = request.get("Sec-Fetch-Site");
  const isForeign =
    site === undefined ? !isOwnOrigin(request) : site !== "same-origin" && site !== "none";
  if (request.method === "POST" && isForeign) response.status(403).type("text").send("cross-site");
  else next();
};

function isOwnOrigin(request: Request): boolean {
  const origin = request.get("Origin");
  return origin === undefined || origin.endsWith(`//${request.get("Host") ?? ""}`);
}

const showError: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  if (error instanceof LimitError) {
    const { actual, limit, largestKeys } = error;
    response
      .status(413)
      .send(frame(request, "Too large", pages.tooLarge(actual, limit, largestKeys)));
    return;
  }
  console.error(error);
  const status = (error as { status?: number } | null)?.status ?? 500;
  response.status(status).send(frame(undefined, "Error", pages.failure(status)));
};

function frame(request: Request | undefined, title: string, content: Html): string {
  const session = request?.session;
  // A message is read once: on a page that reports an error it would be lost with the change.
  const flash =
    request === undefined || title === "Too large" ? "" : (session?.flash.get("notice") ?? "");
  const counts = session === undefined ? [] : [...cart.of(session)];
  const items = counts.reduce((sum, [, count]) => sum + count, 0);
  const path = request === undefined ? "" : request.baseUrl + request.path.replace(/^\/$/, "");
  return pages.page(
    {
      path: path === "" ? "/" : path,
      lists: request?.app.get("lists") === true,
      user: session?.get("name") ?? "",
      items,
      flash,
    },
    title,
    content,
  );
}

function cartLines(request: Request): (readonly [Product, number])[] {
  const lines = cart.of(request.session);
  return products.flatMap((product) => {
    const count = lines.get(product.id);
    return count === undefined ? [] : [[product, count] as const];
  });
}

function findProduct(request: Request): Product | undefined {
  return products.find(({ id }) => id === field(request, "id"));
}

function field(request: Request, name: string): string {
  const value: unknown = (request.body as Record<string, unknown> | undefined)?.[name];
  return typeof value === "string" ? value : "";
}

function facts(request: Request, config: SessionConfig): pages.SessionFacts {
  const { session } = request;
  const name = config.name ?? "session";
  const cookie = (request.headers.cookie ?? "")
    .split("; ")
    .find((one) => one.startsWith(`${name}=`));
  return {
    id: session.id,
    isNew: session.isNew,
    user: session.get("name"),
    created: session.createdAt,
    idleEnd: session.expiresAt,
    absoluteEnd: new Date(session.createdAt.getTime() + ABSOLUTE_TIMEOUT * 1000),
    lifetime:
      session.cookieExpires === 0
        ? "until the browser closes"
        : `${session.cookieExpires / DAY} days`,
    isSealed: "sealed" in config.store,
    // The "=" between them counts for no browser.
    cookieBytes: cookie === undefined ? 0 : cookie.length - 1,
    maxBytes: MAX_COOKIE_BYTES,
    now: Date.now(),
    entries: [
      ...session,
      ...[...cart.of(session)].map(([id, count]) => [`cart: ${id}`, String(count)] as const),
    ],
  };
}
