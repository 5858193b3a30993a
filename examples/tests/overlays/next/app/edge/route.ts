// In the edge runtime, whose globals are not those of the test: only a store of keys from the environment.
import { SessionCookieStore } from "kocha-session";
import { sessions } from "kocha-session/next";

export const runtime = "edge";

const { route } = sessions(() => ({
  name: "edge",
  store: new SessionCookieStore({
    secretKey: process.env["SESSION_SECRET_KEY"],
    signingKey: process.env["SESSION_SIGNING_KEY"],
  }),
  secure: "auto",
}));

export const GET = route((_request, session) => {
  session.set("count", `${Number(session.get("count")) + 1}`);
  return new Response(session.get("count"));
});
