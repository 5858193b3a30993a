import { redirect } from "@sveltejs/kit";
import { cart } from "../lib/server/session";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = ({ locals: { session } }) => ({
  user: session.get("user"),
  notice: session.flash.get("notice"),
  cart: [...cart.of(session)].map(([item, count]) => ({ item, count })),
});

export const actions: Actions = {
  signIn: async ({ request, locals: { session } }) => {
    const name = String((await request.formData()).get("name"));
    await session.regenerate();
    session.set("user", name);
    session.flash.set("notice", `Welcome, ${name}`);
    redirect(303, "/");
  },
  add: async ({ request, locals: { session } }) => {
    const item = String((await request.formData()).get("item"));
    await cart.of(session).update(item, (count = 0) => count + 1);
    redirect(303, "/");
  },
  signOut: async ({ locals: { session } }) => {
    await session.destroy();
    redirect(303, "/");
  },
};
