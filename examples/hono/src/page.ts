import type { Session } from "kocha-session";
import { cart } from "./session.ts";

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** An HTML page around a body. */
export function page(body: string): string {
  return `<!doctype html><title>Shop</title><main>${body}</main>`;
}

/** What the front page shows of a session. */
export function shop(session: Session): string {
  const user = session.get("user");
  const notice = session.flash.get("notice");
  const lines = [...cart.of(session)].map(([item, count]) => `<li>${escape(item)}: ${count}</li>`);
  return `
    ${notice === "" ? "" : `<p role="status">${escape(notice)}</p>`}
    ${user === "" ? signInForm : `<p id="user">${escape(user)}</p>${signOutForm}`}
    <ul id="cart">${lines.join("")}</ul>
    <form method="post" action="/add">
      <label>Item <input name="item" required></label>
      <button>Add</button>
    </form>`;
}

const signInForm = `
  <form method="post" action="/sign-in">
    <label>Name <input name="name" required></label>
    <button>Sign in</button>
  </form>`;
const signOutForm = `<form method="post" action="/sign-out"><button>Sign out</button></form>`;
