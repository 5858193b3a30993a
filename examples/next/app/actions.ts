"use server";
import { refresh } from "next/cache";
import { cart, withSession } from "../session";

export async function signIn(form: FormData) {
  const name = String(form.get("name")).trim();
  if (name === "") return;
  await withSession(async (session) => {
    await session.regenerate();
    session.set("user", name);
    session.flash.set("notice", `Welcome, ${name}`);
  });
}

export async function add(form: FormData) {
  const item = String(form.get("item")).trim();
  if (item === "") return;
  await withSession((session) => cart.of(session).update(item, (count = 0) => count + 1));
  // Next renders the page anew where a cookie was set, and a session in Redis sets none here.
  refresh();
}

export async function signOut() {
  await withSession((session) => session.destroy());
}
