// The shop's pages: what is shown, from what the handlers found in the session. No script.
import { type Product, price, products } from "./catalog.ts";
import { drawing } from "./drawings.ts";
import { type Html, html } from "./html.ts";

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
      <p class="lead">There is nothing in it. <a href="/shop">To the shelves</a></p>`;
  const total = lines.reduce((sum, [product, count]) => sum + product.cents * count, 0);
  return html`<h1>Your cart</h1>
    <table class="cart">
      <thead>
        <tr>
          <th scope="col">Product</th>
          <th scope="col" class="num">Count</th>
          <th scope="col" class="num">Price</th>
          <td></td>
        </tr>
      </thead>
      <tbody>
        ${lines.map(
          ([product, count]) =>
            html`<tr>
              <th scope="row">
                <span class="line ${product.id}">${drawing(product.id)} ${product.name}</span>
              </th>
              <td class="num">${count}</td>
              <td class="num">${price(product.cents * count)}</td>
              <td class="num">
                <form method="post" action="/cart/remove">
                  <input type="hidden" name="id" value="${product.id}" />
                  <button class="quiet" aria-label="Remove ${product.name}">
                    <span class="wide">Remove</span><span class="narrow">×</span>
                  </button>
                </form>
              </td>
            </tr>`,
        )}
        <tr>
          <th scope="row">Together</th>
          <td></td>
          <td class="num"><strong>${price(total)}</strong></td>
          <td></td>
        </tr>
      </tbody>
    </table>`;
}

/** The form to log in with; `outlives`: the login outlives a restart of the demo. */
export function login(outlives: boolean): Html {
  const end = outlives ? "" : ", and when this demo is stopped";
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
      >
      <p class="lead">
        A remembered login ends 30 days after the last visit, 90 days after it began at the
        latest${end}. Any other ends after 30 minutes without a visit, or when the browser is
        closed.
      </p>
      <button>Log in</button>
    </form>`;
}

/** What a visitor sees after the logout. */
export function loggedOut(): Html {
  return html`<p class="flash" role="status">You are logged out.</p>
    <h1>See you</h1>
    <p class="lead">
      The session has ended for good, and your cart with it: no late request and no copy of the
      cookie brings it back. <a href="/login">Log in again</a>, or go
      <a href="/shop">to the shelves</a>.
    </p>`;
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
  readonly cookieCount: number;
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
  return html`<span>${distance(date.getTime() - now)}</span>
    <time datetime="${date.toISOString()}">${date.toUTCString()}</time>`;
}

/** The page that looks inside; `ends`: a user's sessions can be ended everywhere. */
export function sessionPage(facts: SessionFacts, ends: boolean): Html {
  const { now } = facts;
  const { cookieBytes, cookieCount } = facts;
  return html`<h1>Your session</h1>
    <p class="lead">
      ${
        facts.isSealed
          ? "A string map, in cookies that nobody else can read or change."
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
            : `stored in ${facts.isSealed ? "your cookies" : "the store"}`
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
      <dt>Size</dt>
      <dd>
        <span id="bytes">${cookieBytes}</span> bytes in ${cookieCount}
        ${cookieCount === 1 ? "cookie" : "cookies"}
      </dd>
    </dl>
    <h2>What is in it</h2>
    <table id="entries">
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Value</th>
          <th scope="col" class="num">Bytes</th>
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
              <th scope="row"><code>${key}</code></th>
              <td><code>${value}</code></td>
              <td class="num">${Buffer.byteLength(value)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${
      facts.user === "" || !ends
        ? undefined
        : html`<h2>Wherever you are logged in</h2>
            <p class="lead">
              Every session of ${facts.user} ends, and every copy of its cookie with it.
            </p>
            <form method="post" action="/logout-everywhere">
              <button class="quiet">Log out everywhere</button>
            </form>`
    }`;
}
