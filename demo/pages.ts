// The shop's pages: what is shown, from what the handlers found in the session. No script.
import type { KeySize } from "kocha-session";
import { type Product, price, products } from "./catalog.ts";
import { drawing } from "./drawings.ts";
import { type Html, html } from "./html.ts";

/** What every page shows around its own content. */
export interface Frame {
  readonly path: string;
  /** Whether the store can list a user's sessions. */
  readonly lists: boolean;
  readonly user: string;
  readonly items: number;
  readonly flash: string;
}

function link(frame: Frame, href: string, label: string): Html {
  const current = frame.path === href ? html` aria-current="page"` : undefined;
  return html`<a href="${href}" ${current}>${label}</a>`;
}

/** A whole document. */
export function page(frame: Frame, title: string, content: Html): string {
  const account =
    frame.user === ""
      ? link(frame, "/login", "Log in")
      : html`<form method="post" action="/logout">
          <button class="quiet">Log out ${frame.user}</button>
        </form>`;
  const flash =
    frame.flash === "" ? undefined : html`<p class="flash" role="status">${frame.flash}</p>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} · Kocha Tea</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="data:," />
      </head>
      <body>
        <header>
          <div class="bar">
            <strong class="brand sencha">${drawing("sencha")} Kocha Tea</strong>
            <nav aria-label="Main">
              ${link(frame, "/", "Shop")} ${link(frame, "/cart", `Cart (${frame.items})`)}
              ${link(frame, "/session", "Session")}
              ${frame.lists && frame.user !== "" ? link(frame, "/devices", "Devices") : undefined}
            </nav>
            ${account}
          </div>
        </header>
        <main>
          ${flash}${content}
          <footer>
            A demo of kocha-session: all that this shop knows of you is in your session.
          </footer>
        </main>
      </body>
    </html>`.text;
}

/** The shelves. */
export function shop(counts: Readonly<Record<string, number>>): Html {
  const card = (product: Product): Html =>
    html`<li class="card ${product.id}">
      ${drawing(product.id)}
      <h2>${product.name}</h2>
      <p>${product.note}</p>
      <div class="row">
        <span class="price">${price(product.cents)}</span>
        <form method="post" action="/cart/add">
          <input type="hidden" name="id" value="${product.id}" />
          <button aria-label="Put ${product.name} in the cart">
            Put in cart${counts[product.id] === undefined ? "" : ` (${counts[product.id]})`}
          </button>
        </form>
      </div>
    </li>`;
  return html`<h1>Tea, and what it takes</h1>
    <p class="lead">
      Open this page in two tabs and fill the cart from both: each click is saved before its page
      comes back.
    </p>
    <ul class="grid">
      ${products.map(card)}
    </ul>`;
}

/** The cart. */
export function cart(lines: readonly (readonly [Product, number])[]): Html {
  if (lines.length === 0)
    return html`<h1>Your cart</h1>
      <p class="lead">There is nothing in it. <a href="/">To the shelves</a></p>`;
  const total = lines.reduce((sum, [product, count]) => sum + product.cents * count, 0);
  return html`<h1>Your cart</h1>
    <table>
      <thead>
        <tr>
          <th>Product</th>
          <th class="num">Count</th>
          <th class="num">Price</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${lines.map(
          ([product, count]) =>
            html`<tr>
              <td>
                <span class="line ${product.id}">${drawing(product.id)} ${product.name}</span>
              </td>
              <td class="num">${count}</td>
              <td class="num">${price(product.cents * count)}</td>
              <td class="num">
                <form method="post" action="/cart/remove">
                  <input type="hidden" name="id" value="${product.id}" /><button class="quiet">
                    Remove
                  </button>
                </form>
              </td>
            </tr>`,
        )}
        <tr>
          <th>Together</th>
          <td></td>
          <td class="num"><strong>${price(total)}</strong></td>
          <td></td>
        </tr>
      </tbody>
    </table>`;
}

/** The form to log in with. */
export function login(): Html {
  return html`<h1>Log in</h1>
    <p class="lead">
      Any name will do: this shop has no passwords. Logging in replaces the session's credential.
    </p>
    <form method="post" action="/login">
      <label
        >Your name<br /><input
          type="text"
          name="name"
          required
          maxlength="40"
          autocomplete="username"
      /></label>
      <label
        ><input type="checkbox" name="remember" value="1" /> Remember me for 30 days, also when the
        browser is closed</label
      ><button>Log in</button>
    </form>`;
}

/** What is known of a session, for its page. */
export interface SessionFacts {
  readonly id: string;
  readonly isNew: boolean;
  readonly user: string;
  readonly created: Date;
  readonly idleEnd: Date | undefined;
  readonly absoluteEnd: Date;
  readonly lifetime: string;
  readonly cookieBytes: number;
  readonly maxBytes: number;
  /** Whether the session itself is in the cookie, and not only its key. */
  readonly isSealed: boolean;
  readonly now: number;
  readonly entries: readonly (readonly [string, string])[];
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "in 30 minutes", "in 7 days", "3 minutes ago", "this minute". */
function distance(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (Math.abs(minutes) < 120) return relative.format(minutes, "minute");
  const hours = Math.round(minutes / 60);
  return Math.abs(hours) < 48
    ? relative.format(hours, "hour")
    : relative.format(Math.round(hours / 24), "day");
}

/** How far away, and when exactly. */
export function instant(date: Date, now: number): Html {
  return html`${distance(date.getTime() - now)}
    <time datetime="${date.toISOString()}">${date.toUTCString()}</time>`;
}

/** The page that looks inside. */
export function sessionPage(facts: SessionFacts): Html {
  const { now } = facts;
  return html`<h1>Your session</h1>
    <p class="lead">
      ${
        facts.isSealed
          ? "A string map, in one cookie that nobody else can read or change."
          : "A string map in the store; your cookie holds the ticket to it."
      }
    </p>
    <dl>
      <dt>Handle</dt>
      <dd class="mono" id="id">${facts.id}</dd>
      <dt>State</dt>
      <dd id="state">
        ${
          facts.isNew
            ? "new: nothing is stored until something is set"
            : `stored in ${facts.isSealed ? "your cookie" : "the store"}`
        }
      </dd>
      <dt>Created</dt>
      <dd>${instant(facts.created, now)}</dd>
      <dt>Idle timeout</dt>
      <dd id="idle">${facts.idleEnd === undefined ? "none" : instant(facts.idleEnd, now)}</dd>
      <dt>Absolute timeout</dt>
      <dd id="absolute">${instant(facts.absoluteEnd, now)}</dd>
      <dt>The cookie lives</dt>
      <dd id="lifetime">${facts.lifetime}</dd>
      <dt>Cookie size</dt>
      <dd>
        <span id="bytes">${facts.cookieBytes}</span> of ${facts.maxBytes} bytes<br /><meter
          min="0"
          max="${facts.maxBytes}"
          high="${Math.round(facts.maxBytes * 0.8)}"
          value="${facts.cookieBytes}"
        ></meter>
      </dd>
    </dl>
    <h2>What is in it</h2>
    <table>
      <thead>
        <tr>
          <th>Key</th>
          <th>Value</th>
          <th class="num">Bytes</th>
        </tr>
      </thead>
      <tbody>
        ${
          facts.entries.length === 0
            ? html`<tr>
                <td colspan="3">nothing</td>
              </tr>`
            : undefined
        }
        ${facts.entries.map(
          ([key, value]) =>
            html`<tr>
              <td><code>${key}</code></td>
              <td><code>${value.length > 60 ? `${value.slice(0, 60)}…` : value}</code></td>
              <td class="num">${Buffer.byteLength(value)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${
      facts.user === ""
        ? undefined
        : html`<h2>Wherever you are logged in</h2>
            <form method="post" action="/logout-everywhere">
              <button class="quiet">Log out everywhere</button>
            </form>
            <p class="lead" style="margin-top:1rem">
              Every session of ${facts.user} ends, and every copy of its cookie with it.
            </p>`
    }
    <h2>Try its limits</h2>
    <div class="row left">
      <form method="post" action="/session/fill"><button>Put 1 KB into it</button></form>
      <form method="post" action="/session/clear"><button class="quiet">Clear it</button></form>
    </div>
    <p class="lead below">
      Two tabs that write at the very same moment: with the plain cookie store the last response
      wins, since a browser keeps one value of a cookie. A server-side store merges both.
    </p>`;
}

/** What doesn't fit is said, and nothing was sent. */
export function tooLarge(actual: number, limit: number, largest: readonly KeySize[]): Html {
  return html`<h1>That doesn't fit</h1>
    <p class="lead">
      The session would need <strong id="actual">${actual}</strong> bytes of cookies; a browser
      keeps <strong>${limit}</strong>. Nothing was sent, and what was there before is still there.
    </p>
    <table>
      <thead>
        <tr>
          <th>Largest keys</th>
          <th class="num">Bytes</th>
        </tr>
      </thead>
      <tbody>
        ${largest.map(
          ({ key, bytes }) =>
            html`<tr>
              <td><code>${key}</code></td>
              <td class="num">${bytes}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    <p><a href="/session">Back to the session</a></p>`;
}

/** Any other error. */
export function failure(status: number): Html {
  return html`<h1 class="warn">That went wrong</h1>
    <p class="lead">Status ${status}. <a href="/">To the shelves</a></p>`;
}
