import { createServerFn } from "@tanstack/react-start";
import { redirect } from "@tanstack/react-router";
import { sessionMap } from "kocha-session";
import * as v from "valibot";

/** How many there are of each item. */
const cart = sessionMap("cart", v.number());

/** What the front page shows of a session. */
export const getShop = createServerFn().handler(({ context: { session } }) => ({
  user: session.get("user"),
  notice: session.flash.get("notice"),
  cart: [...cart.of(session)].map(([item, count]) => ({ item, count })),
}));

const text = (field: string) => (form: unknown) => {
  if (!(form instanceof FormData)) throw new Error("a form is expected");
  return String(form.get(field));
};

export const signIn = createServerFn({ method: "POST" })
  .validator(text("name"))
  .handler(async ({ data: name, context: { session } }) => {
    await session.regenerate(); // a new credential, the same data
    session.set("user", name);
    session.flash.set("notice", `Welcome, ${name}`);
    throw redirect({ to: "/", statusCode: 303 });
  });

export const add = createServerFn({ method: "POST" })
  .validator(text("item"))
  .handler(async ({ data: item, context: { session } }) => {
    await cart.of(session).update(item, (count = 0) => count + 1);
    throw redirect({ to: "/", statusCode: 303 });
  });

export const signOut = createServerFn({ method: "POST" }).handler(
  async ({ context: { session } }) => {
    await session.destroy();
    throw redirect({ to: "/", statusCode: 303 });
  },
);

export const countVisit = createServerFn().handler(({ context: { session } }) =>
  session.increment("visits"),
);
