import { notFound, redirect } from "@tanstack/react-router";
import { createServerFn, createServerOnlyFn } from "@tanstack/react-start";
import { setCookie } from "@tanstack/react-start/server";
import type { Session } from "kocha-session";

/** Writes a key, and does what its value says. */
const writeAnd = createServerOnlyFn(async (session: Session, key: string, then: string) => {
  session.set(key, then);
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (then === "cookie") setCookie("theme", "dark");
  if (then === "redirect") throw redirect({ to: "/dump", statusCode: 303 });
  if (then === "not-found") throw notFound();
  if (then === "response") throw new Response("teapot", { status: 418 });
  if (then === "error") throw new Error("out of order");
  return then;
});

/** For loaders. */
export const write = createServerFn()
  .validator((input: { readonly key: string; readonly then: string }) => input)
  .handler(({ data: { key, then }, context: { session } }) => writeAnd(session, key, then));

/** For a form. */
export const act = createServerFn({ method: "POST" })
  .validator((form: unknown) => (form instanceof FormData ? String(form.get("then")) : ""))
  .handler(({ data: then, context: { session } }) => writeAnd(session, "act", then));

/** A form's login, which offers to bind the session to the browser's device. */
export const enter = createServerFn({ method: "POST" })
  .validator((form: unknown) => (form instanceof FormData ? String(form.get("how")) : ""))
  .handler(async ({ data: how, context: { session } }) => {
    await session.regenerate();
    session.set("user", "ann");
    session.bindDevice();
    if (how === "leave") throw redirect({ to: "/dump", statusCode: 303 });
    return how;
  });

/** A write that comes when the page has begun. */
export const writeLate = createServerFn().handler(async ({ context: { session } }) => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  try {
    session.set("late", "1");
    return "written";
  } catch (error) {
    return `${(error as { code: string }).code} beside ${session.get("early")}`;
  }
});
