import { error, fail, redirect } from "@sveltejs/kit";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = ({ url, locals: { session } }) => {
  const how = url.searchParams.get("how");
  if (how !== null) session.set("broken", how);
  if (how === "error") error(418, "a teapot");
  if (how === "throw") throw new Error("out of order");
  if (how === "redirect") redirect(307, "/held");
};

export const actions: Actions = {
  fail: ({ locals: { session }, cookies }) => {
    cookies.set("own", "1", { path: "/" });
    session.set("failed", "1");
    return fail(422, { wrong: true });
  },
};
