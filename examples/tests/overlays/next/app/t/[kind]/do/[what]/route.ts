import { cookies, draftMode } from "next/headers";
import { notFound, permanentRedirect, redirect } from "next/navigation";
import { type NextRequest, NextResponse } from "next/server";
import type { Session } from "kocha-session";
import { codeOf, lab, sessionsOf } from "../../../../../lab/sessions";

interface Context {
  readonly params: Promise<{ readonly kind: string; readonly what: string }>;
}

const constant = new Response(null, { status: 200, headers: { "x-constant": "1" } });

async function act(session: Session, kind: string, what: string): Promise<Response> {
  const { withSession, readSession } = sessionsOf(kind);
  switch (what) {
    case "get":
      return new Response(session.get("a"));
    case "ignore":
      return new Response("nobody looked");
    case "set":
      session.set("a", "set");
      return new Response("set");
    case "redirect":
      session.set("a", "redirect");
      return redirect(`/t/${kind}/read`);
    case "moved":
      session.set("a", "moved");
      return permanentRedirect(`/t/${kind}/read?semi;colon`);
    case "redirected":
      session.set("a", "redirected");
      return Response.redirect("http://localhost/elsewhere");
    case "notFound":
      session.set("a", "notFound");
      return notFound();
    case "throw":
      session.set("a", "thrown");
      throw new Error("out of order");
    case "inside":
      session.set("a", "outer");
      await withSession((own) => own.set("p", `${own.get("a")} inner`));
      // Not awaited, and the route waits for it.
      void withSession(async (own) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        own.set("q", "floating");
      });
      return new Response((await readSession()).get("p"));
    case "dump":
      return Response.json(session.toObject());
    case "conflict":
      session.set("a", "conflict");
      return new Response("", { headers: { "Set-Cookie": `${kind}=own; Path=/` } });
    case "beside": {
      session.set("a", "beside");
      (await cookies()).set("theme", "dark");
      const response = NextResponse.json({});
      response.cookies.set("size", "large");
      return response;
    }
    case "draft":
      session.set("a", "draft");
      (await draftMode()).enable();
      return new Response("draft");
    case "constant":
      session.set("a", "constant");
      return constant;
    case "logout":
      await session.destroy();
      return new Response("out");
    case "code":
      return new Response(await codeOf(() => withSession(() => session.set("a", "1"))));
    default:
      return new Response(null, { status: 404 });
  }
}

export async function GET(request: NextRequest, context: Context): Promise<Response> {
  const { kind, what } = await context.params;
  const { route } = sessionsOf(kind);
  return route((_request, session) => act(session, kind, what))(request, context);
}

export async function POST(request: Request, context: Context): Promise<Response> {
  const { kind } = await context.params;
  // Without `route`: an ordinary handler.
  const code = await codeOf(() =>
    sessionsOf(kind).withSession((session) => session.set("a", "posted")),
  );
  lab().codes.push(code);
  return new Response(code);
}
