// The first page: three things that sessions get wrong, each with its proof, and two framed browsers.
import type { ProofName, Verdict } from "./browser/proofs.mjs";
import { linesOf, outcomeOf } from "./feed.ts";
import { devices } from "./frames.ts";
import { type Html, html } from "./html.ts";
import { isExact } from "./proofs/ours.ts";
import type { DemoSettings } from "./settings.ts";

/** One proof, as the page tells it. */
interface Proof {
  readonly name: ProofName;
  readonly title: string;
  readonly button: string;
  readonly story: Html;
  /** The left column's path: "usual" on this store, or "sealed" where a server gets it right. */
  readonly usual: "usual" | "sealed";
}

/** Names of the columns' paths, left and right, of each proof. */
export function waysOf(
  settings: DemoSettings,
  name: ProofName,
): readonly ["usual" | "sealed", "ours"] {
  return [name === "copy" || "sealed" in settings.store ? "sealed" : "usual", "ours"];
}

function proofsOn(settings: DemoSettings): readonly Proof[] {
  const counts = isExact(settings.store);
  const usual = (name: ProofName) => waysOf(settings, name)[0];
  return [
    {
      name: "clicks",
      title: "Five clicks at once",
      button: "Click five times at once",
      story: html`Five requests at the same moment each put another thing into one
      cart${counts ? ", and count a click" : ""}. A request that writes the whole session back
      undoes what the others did meanwhile.`,
      usual: usual("clicks"),
    },
    {
      name: "logout",
      title: "A slow request, then log out",
      button: "Start a slow request, then log out",
      story: html`A request waits for its data. Meanwhile the visitor logs out. When the slow
      request ends, it saves its session: the one from before the logout.`,
      usual: usual("logout"),
    },
    {
      name: "copy",
      title: "Copy my cookie, log out, use the copy",
      button: "Copy, log out, use the copy",
      story: html`Somebody has a copy of the cookie, from a backup, a log or a borrowed laptop. The
      visitor logs out. Then the copy, and nothing else, is put back into the browser.`,
      usual: usual("copy"),
    },
  ];
}

/** The page's content; `page` is the id under which its events are kept. */
export function homeContent(settings: DemoSettings, page: string): Html {
  const lists = linesOf(page);
  return html`<div class="hero">
      <h1>Three things sessions get wrong</h1>
      <p class="lead">
        Each button sends real requests with real cookies, first to the usual way, then to this
        library. Both keep their sessions in <strong>${settings.storeName}</strong>, unless a column
        says otherwise.
      </p>
    </div>
    ${proofsOn(settings).map((proof, index) => proofSection(settings, proof, index + 1, page, lists))}
    <section class="proof" id="devices" aria-labelledby="devices-title">
      <h2 id="devices-title">One person, two browsers</h2>
      <p class="story">
        Log in on both, then log out everywhere else from one of them. The other one's next request
        is refused, and so is every copy of its cookie.
      </p>
      <div class="columns">${devices.map((device) => deviceColumn(device, page, lists))}</div>
    </section>
    <section class="proof" aria-labelledby="shop-title">
      <h2 id="shop-title">A shop to play with</h2>
      <p class="story">
        A cart, a login that can be remembered, flash messages, and a page that looks inside your
        session: <a href="/shop">the tea shop</a>.
      </p>
    </section>`;
}

function proofSection(
  settings: DemoSettings,
  { button, name, story, title, usual }: Proof,
  number: number,
  page: string,
  lists: Readonly<Record<string, readonly string[]>>,
): Html {
  const outcomes = [outcomeOf(page, `${name}.${usual}`), outcomeOf(page, `${name}.ours`)];
  const sent = outcomes.some((outcome) => outcome !== undefined)
    ? "Sent by this server on your behalf, with a cookie jar of its own, since your browser has no JavaScript."
    : "";
  const column = (way: string, heading: string, what: Html, verdict: unknown): Html =>
    html`<div class="column" data-way="${way}">
      <h3>${heading}</h3>
      <p class="what">${what}</p>
      <output aria-live="polite" ${goodness(verdict as Verdict | undefined)}
        >${verdictText(verdict as Verdict | undefined)}</output
      >
      ${eventList(`${name}.${way}`, `${title}: requests of ${heading}`, lists)}
    </div>`;
  return html`<section class="proof" id="${name}" aria-labelledby="${name}-title">
    <h2 id="${name}-title"><span class="number" aria-hidden="true">${number}</span> ${title}</h2>
    <p class="story">${story}</p>
    <form method="post" action="/proofs/run?page=${page}" data-proof="${name}">
      <input type="hidden" name="proof" value="${name}" />
      <button>${button}</button> <span class="sent">${sent}</span>
    </form>
    <div class="columns">
      ${column(usual, "The usual way", usualText(settings, name), outcomes[0])}
      ${column("ours", "kocha-session", oursText(settings, name), outcomes[1])}
    </div>
  </section>`;
}

function usualText({ store, storeName }: DemoSettings, name: ProofName): Html {
  if ("sealed" in store)
    return html`The whole session sealed in one cookie, as cookie-session and iron-session keep it.`;
  if (name === "copy")
    return html`A sealed cookie, as cookie-session and iron-session keep it. (With sessions in
    ${storeName} the usual way gets this right: a logout deletes the row.)`;
  return html`The whole session, loaded from ${storeName} and written back, as express-session does.`;
}

function oursText({ store, storeName }: DemoSettings, name: ProofName): Html {
  const isSealed = "sealed" in store;
  if (name === "clicks")
    return isSealed
      ? html`<code>sessionMap</code> in cookies that merge: each write is a cookie of its own.`
      : html`<code>sessionMap</code> and <code>increment</code> in ${storeName}: only the change is
          saved.`;
  if (isSealed)
    return html`<code>session.destroy()</code> in cookies with <code>revocations</code>.`;
  return name === "copy"
    ? html`<code>session.destroy()</code> in ${storeName}: the cookie was only the ticket to a row
        that is gone.`
    : html`<code>session.destroy()</code> in ${storeName}: a late save is refused, since an update
        never inserts.`;
}

function goodness(verdict: Verdict | undefined): Html | undefined {
  return verdict === undefined ? undefined : html`data-good="${String(verdict.isGood)}"`;
}

function verdictText(verdict: Verdict | undefined): Html {
  if (verdict === undefined) return html`not tried yet`;
  const { detail, text } = verdict;
  return html`<strong>${text}</strong>${
      detail === undefined ? undefined : html` <small>${detail}</small>`
    }`;
}

/** The lines of a list, which the script keeps up to date. */
function eventList(
  name: string,
  label: string,
  lists: Readonly<Record<string, readonly string[]>>,
): Html {
  const lines = lists[name] ?? [];
  return html`<ol class="events" data-list="${name}" aria-label="${label}" tabindex="0">
    ${lines.map((line) => html`<li>${line}</li>`)}
  </ol>`;
}

function deviceColumn(
  { label, name }: (typeof devices)[number],
  page: string,
  lists: Readonly<Record<string, readonly string[]>>,
): Html {
  const list = `devices.${name}`;
  const query = new URLSearchParams({ page, list, as: `ada-${page.slice(0, 4)}` });
  return html`<div class="column">
    <h3>${label}</h3>
    <iframe class="${name}" title="${label}" src="/${name}?${query.toString()}"></iframe>
    ${eventList(list, `Events of the ${name}`, lists)}
  </div>`;
}
