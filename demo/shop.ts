// The tea shop's routes. Everything that it remembers of a visitor is in the visitor's session.
import { DAY } from "kocha-session";
import { cart, MAX_COUNT, type Product, products } from "./catalog.ts";
import { deviceLabel, deviceRoutes } from "./devices.ts";
import { endingOf } from "./elsewhere.ts";
import { cookiesOf, type Routes, redirect, sendPage, type Visit } from "./http.ts";
import { framed, type Page } from "./layout.ts";
import * as pages from "./pages.ts";
import { ABSOLUTE_TIMEOUT, type DemoSettings, IDLE_TIMEOUT, REMEMBERED } from "./settings.ts";

/** The name of the shop's cookie. */
export const SHOP_COOKIE = "shop_session";

/** Sends a page of the shop. */
export type Show = (visit: Visit, title: string, content: Page["content"]) => void;

/** The shop's pages and forms. */
export function shopRoutes(settings: DemoSettings): Routes {
  const { outlives, store } = settings;
  const rows = "sealed" in store || store.list === undefined ? undefined : store;
  const end = endingOf(settings);
  const show: Show = (visit, title, content) => {
    sendPage(visit.response, framed(visit, rows !== undefined, { title, content }));
  };
  return {
    "GET /shop": (visit) => {
      show(visit, "Tea shop", pages.shop(Object.fromEntries(cart.of(visit.session))));
    },
    "GET /cart": (visit) => show(visit, "Cart", pages.cart(cartLines(visit))),
    "POST /cart/add": async ({ form, response, session }) => {
      const product = products.find(({ id }) => id === form.get("id"));
      if (product !== undefined) {
        // One step at the store: of clicks at once each counts.
        const addOne = (count = 0): number => Math.min(count + 1, MAX_COUNT);
        await cart.of(session).update(product.id, addOne);
        session.flash.set("notice", `${product.name} is in your cart.`);
      }
      redirect(response, "/shop");
    },
    "POST /cart/remove": ({ form, response, session }) => {
      cart.of(session).delete(form.get("id") ?? "");
      redirect(response, "/cart");
    },
    "GET /login": (visit) => show(visit, "Log in", pages.login(outlives)),
    "POST /login": async ({ form, request, response, session }) => {
      const name = (form.get("name") ?? "").trim().slice(0, 40);
      if (name === "") {
        redirect(response, "/login");
        return;
      }
      // Before anything is trusted to it: who had the credential until now has lost it.
      await session.regenerate();
      session.bind(name, { label: deviceLabel(request.headers["user-agent"]) });
      session.set("name", name);
      session.bindDevice();
      const remember = form.get("remember") === "1";
      session.cookieExpires = remember ? REMEMBERED : 0;
      session.sessionExpires = remember ? REMEMBERED : IDLE_TIMEOUT;
      session.flash.set("notice", `Welcome, ${name}.`);
      redirect(response, "/shop");
    },
    "POST /logout": async ({ response, session }) => {
      await session.destroy();
      redirect(response, "/logged-out");
    },
    "POST /logout-everywhere": async ({ response, session }) => {
      const user = session.get("name");
      if (user !== "") await end?.(user);
      await session.destroy();
      redirect(response, "/logged-out");
    },
    // A page of its own: after the logout there is no session that could hold a message.
    "GET /logged-out": (visit) => {
      if (visit.session.get("name") === "") show(visit, "Logged out", pages.loggedOut());
      else redirect(visit.response, "/shop");
    },
    "GET /session": (visit) => {
      show(visit, "Session", pages.sessionPage(factsOf(visit, settings), end !== undefined));
    },
    ...(rows === undefined ? {} : deviceRoutes(rows, show)),
  };
}

function cartLines({ session }: Visit): (readonly [Product, number])[] {
  const lines = cart.of(session);
  return products.flatMap((product) => {
    const count = lines.get(product.id);
    return count === undefined ? [] : [[product, count] as const];
  });
}

function factsOf({ request, session }: Visit, { store }: DemoSettings): pages.SessionFacts {
  const isOurs = (name: string): boolean =>
    name === SHOP_COOKIE || name.startsWith(`${SHOP_COOKIE}.`);
  const cookies = [...cookiesOf(request.headers.cookie)].filter(([name]) => isOurs(name));
  const bytes = cookies.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
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
    isSealed: "sealed" in store,
    cookieBytes: bytes,
    cookieCount: cookies.length,
    now: Date.now(),
    entries: [
      ...session,
      ...[...cart.of(session)].map(([id, count]) => [`cart: ${id}`, String(count)] as const),
    ],
  };
}
