import { defineAction } from "astro:actions";
import { z } from "astro/zod";
import { logIn } from "../login";
import { cart } from "../session";

export const server = {
  signIn: defineAction({
    accept: "form",
    input: z.object({ name: z.string() }),
    handler: async ({ name }, { locals: { session } }) => {
      await session.regenerate();
      session.set("user", name);
      session.flash.set("notice", `Welcome, ${name}`);
    },
  }),
  add: defineAction({
    accept: "form",
    input: z.object({ item: z.string() }),
    handler: async ({ item }, { locals: { session } }) => {
      await cart.of(session).update(item, (count = 0) => count + 1);
    },
  }),
  signOut: defineAction({
    accept: "form",
    handler: async (_, { locals: { session } }) => {
      await session.destroy();
    },
  }),
  enter: defineAction({
    accept: "form",
    handler: (_, { locals: { session } }) => logIn(session),
  }),
  /** Sets a cookie of its own beside the session. */
  both: defineAction({
    input: z.object({ value: z.string() }),
    handler: async ({ value }, { cookies, locals: { session } }) => {
      cookies.set("own", value, { path: "/" });
      session.set("both", value);
      return { value };
    },
  }),
};
