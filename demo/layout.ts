// What is around every page: the document, the header, and the pages that report a status.
import { cart } from "./catalog.ts";
import { Html, html } from "./html.ts";
import type { Visit } from "./http.ts";

/** A page's own parts. */
export interface Page {
  readonly title: string;
  readonly content: Html;
  /** Script and page id, for the first page. */
  readonly id?: string;
}

/** By hand: in a template with a tag, bundlers replace the closing tag by a helper of their own. */
const pageScript = new Html('<script type="module" src="/page.mjs"></script>');

/** A document with nothing around its content, such as a framed one. */
export function bare({ content, id, title }: Page, kind: string): string {
  const script = id === undefined ? undefined : pageScript;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} · kocha-session</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="data:," />
        ${script}
      </head>
      <body class="${kind}" data-page="${id ?? ""}">
        ${content}
      </body>
    </html>`.text;
}

/** A whole document with the header of the visitor. */
export function framed({ path, session }: Visit, isListing: boolean, page: Page): string {
  const user = session.get("name");
  const counts = [...cart.of(session)];
  const items = counts.reduce((sum, [, count]) => sum + count, 0);
  const link = (href: string, label: string): Html =>
    html`<a href="${href}" ${path === href ? html`aria-current="page"` : undefined}>${label}</a>`;
  const account =
    user === ""
      ? link("/login", "Log in")
      : html`<form method="post" action="/logout">
          <button class="quiet">Log out ${user}</button>
        </form>`;
  const content = html`<a class="skip" href="#main">To the content</a>
    <header>
      <div class="bar">
        <a class="brand" href="/">kocha-session</a>
        <nav aria-label="Main">
          ${link("/", "Proofs")} ${link("/shop", "Shop")} ${link("/cart", `Cart (${items})`)}
          ${link("/session", "Session")}
          ${isListing && user !== "" ? link("/devices", "Devices") : undefined}
        </nav>
        <div class="account">${account}</div>
      </div>
    </header>
    <main id="main">${noticeOf(session.flash.get("notice"))}${page.content}</main>
    <footer>
      <p>A demo of kocha-session: all that it knows of you is in your session.</p>
    </footer>`;
  return bare({ ...page, content }, "whole");
}

/** A message that is read once. */
export function noticeOf(notice: string): Html | undefined {
  return notice === "" ? undefined : html`<p class="flash" role="status">${notice}</p>`;
}

/** What a status says, in words. */
export function statusContent(status: number): Html {
  if (status === 404)
    return html`<h1>There is no such page</h1>
      <p class="lead">
        The address may have been mistyped. <a href="/">To the three proofs</a>, or
        <a href="/shop">to the tea shop</a>.
      </p>`;
  return html`<h1>That went wrong</h1>
    <p class="lead">Status ${status}. <a href="/">To the first page</a></p>`;
}
