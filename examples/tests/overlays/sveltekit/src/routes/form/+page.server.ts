import { type Actions, fail, redirect } from "@sveltejs/kit";
import { logIn } from "../../lib/server/login";

export const actions: Actions = {
  stay: ({ locals: { session } }) => logIn(session),
  leave: async ({ locals: { session } }) => {
    await logIn(session);
    redirect(303, "/read");
  },
  fail: async ({ locals: { session } }) => {
    await logIn(session);
    return fail(422);
  },
};
