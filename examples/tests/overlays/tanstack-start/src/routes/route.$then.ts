import { createFileRoute, notFound, redirect } from "@tanstack/react-router";
import { setCookie } from "@tanstack/react-start/server";

const constant = new Response(null, { status: 204 });

export const Route = createFileRoute("/route/$then")({
  server: {
    handlers: {
      GET: ({ params: { then }, context: { session } }) => {
        session.set("route", then);
        if (then === "cookie") setCookie("theme", "dark");
        if (then === "constant") return constant;
        if (then === "second") setCookie("session", "own");
        if (then === "second-of-response")
          return new Response(then, { headers: { "set-cookie": "session=own; Path=/" } });
        if (then === "moved") throw redirect({ to: "/dump", statusCode: 301 });
        if (then === "redirect") throw redirect({ to: "/dump", statusCode: 303 });
        if (then === "not-found") throw notFound();
        if (then === "response") throw new Response("teapot", { status: 418 });
        if (then === "error") throw new Error("out of order");
        return new Response(then, { headers: { "set-cookie": "own=1", vary: "Accept" } });
      },
    },
  },
});
