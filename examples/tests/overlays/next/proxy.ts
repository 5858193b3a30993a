import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { NextResponse } from "next/server";
import { sessionsOf } from "./lab/sessions";
import { siteOf } from "./lab/site";

export default function proxy(request: Parameters<Run>[0], event: Parameters<Run>[1]) {
  if (request.nextUrl.pathname === "/form") return offering(request, event);
  if (request.nextUrl.pathname === "/proxied/device") return answering(request, event);
  const [, , kind = "", where] = request.nextUrl.pathname.split("/");
  const { proxy: session, withSession } = sessionsOf(kind);
  const what = request.nextUrl.searchParams.get("proxy");
  if (what === null) return undefined;
  const run = session(async (_request, own) => {
    if (what === "read") own.get("p");
    if (what === "write" || what === "both") own.set("p", `proxied ${where}`);
    if (what === "count") await own.increment("n");
    if (what === "thrown") {
      own.set("p", "thrown");
      redirect(`/t/${kind}/read`);
    }
    if (what === "within") await withSession((inner) => inner.set("p", "within"));
    if (what === "redirect") {
      own.set("p", "redirected");
      return Response.redirect(new URL(`/t/${kind}/read`, request.url));
    }
    if (what === "beside") {
      own.set("p", "beside");
      (await cookies()).set("theme", "dark");
      const response = NextResponse.next();
      response.cookies.set("size", "large");
      return response;
    }
    if (what === "conflict") {
      own.set("p", "conflict");
      const response = NextResponse.next();
      response.cookies.set(kind, "own");
      return response;
    }
    return undefined;
  });
  if (what !== "both") return run(request, event);
  // Two proxies, one around the other.
  return session(async (same, own) => {
    const response = await run(same, event);
    own.set("a", "outer proxy");
    return response;
  })(request, event);
}

/** Offers to bind a session to its device, at the page behind the action that has asked for it. */
function offering(request: Parameters<Run>[0], event: Parameters<Run>[1]) {
  const offer = siteOf().proxy((_request, session) => {
    if (session.flash.get("offer") !== "") session.bindDevice();
  });
  return offer(request, event);
}

/** The endpoint of device-bound sessions, which the engine answers. */
function answering(request: Parameters<Run>[0], event: Parameters<Run>[1]) {
  return siteOf().proxy(() => undefined)(request, event);
}

type Run = ReturnType<ReturnType<typeof sessionsOf>["proxy"]>;

export const config = { matcher: ["/t/:path*", "/form", "/proxied/device"] };
