import { isSessionError } from "kocha-session";
import type { PageServerLoad } from "./$types";

export const prerender = true;

export const load: PageServerLoad = ({ locals: { session } }) => {
  let code = "";
  try {
    session.set("built", "1");
  } catch (error) {
    if (isSessionError(error)) code = error.code;
  }
  return {
    code,
    size: session.size,
    flash: session.flash.peek("notice"),
    user: session.get("user"),
  };
};
