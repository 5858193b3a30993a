// "Your devices": the sessions of the one who is logged in, from the store's list, and what ends
// them. It is there with every store that lists.
import {
  destroySession,
  listSessions,
  type Session,
  type SessionStore,
  type SessionSummary,
} from "kocha-session";
import { type Html, html } from "./html.ts";
import { redirect, type Routes, type Visit } from "./http.ts";
import { instant } from "./pages.ts";
import { REMEMBERED } from "./settings.ts";
import type { Show } from "./shop.ts";

/** Who is logged in; "" when nobody is. */
const userOf = ({ session }: Visit): string => session.get("name");

/** The device by the name that its browser gives itself: what is stored at login. */
export function deviceLabel(agent = ""): string {
  const browser =
    /(Firefox|Edg|OPR|HeadlessChrome|Chrome|Safari)\//.exec(agent)?.[1] ?? "A browser";
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** The page and its forms; `show` puts the shop around a page. */
export function deviceRoutes(store: SessionStore, show: Show): Routes {
  /** A handler for those who are logged in; the others are sent to the login. */
  const known = (handle: (visit: Visit) => Promise<void>) => async (visit: Visit) => {
    if (userOf(visit) === "") redirect(visit.response, "/login");
    else await handle(visit);
  };
  return {
    "GET /devices": known(async (visit) => {
      const sessions: SessionSummary[] = [];
      for await (const one of listSessions(store, userOf(visit))) sessions.push(one);
      sessions.sort((one, other) => other.boundAt.getTime() - one.boundAt.getTime());
      show(visit, "Devices", devicesPage(sessions, visit.session));
    }),
    "POST /devices/end": known(async (visit) => {
      const { form, response, session } = visit;
      const isThere = await destroySession(store, userOf(visit), form.get("id") ?? "");
      session.flash.set("notice", isThere ? "Signed out there." : "That was over already.");
      redirect(response, "/devices");
    }),
    "POST /devices/end-others": known(async (visit) => {
      const { response, session } = visit;
      const count = (await store.destroyAll?.(userOf(visit), { except: session.id })) ?? 0;
      const others = count === 1 ? "one other device" : `${count} other devices`;
      session.flash.set("notice", `Signed out on ${others}.`);
      redirect(response, "/devices");
    }),
  };
}

function devicesPage(sessions: readonly SessionSummary[], own: Session): Html {
  const now = Date.now();
  const row = (summary: SessionSummary): Html => {
    const { id, label, createdAt, expiresAt, isDeviceBound, sessionExpires, data } = summary;
    const isOwn = id === own.id;
    const binding = isOwn ? "bound to this device" : "bound to its device";
    // The end moves with each renewal, so it says when the session was last seen, to within
    // a tenth of the idle timeout.
    const seen = new Date((expiresAt?.getTime() ?? now) - (sessionExpires ?? REMEMBERED) * 1000);
    const end = isOwn
      ? html`<em>this one</em>`
      : html`<form method="post" action="/devices/end">
          <input type="hidden" name="id" value="${id}" />
          <button class="quiet" aria-label="Sign out ${label}">Sign out</button>
        </form>`;
    return html`<tr data-id="${id}">
      <th scope="row">${label}${isDeviceBound ? html` <small>${binding}</small>` : ""}</th>
      <td data-label="Logged in">${instant(createdAt, now)}</td>
      <td data-label="Last seen">${instant(seen, now)}</td>
      <td class="num" data-label="Entries">${data.size}</td>
      <td class="num">${end}</td>
    </tr>`;
  };
  return html`<h1>Your devices</h1>
    <p class="lead">
      Every session that you are logged in with. Signing one out is final: no request of it, however
      late, brings it back.
    </p>
    <table class="stacks" id="devices">
      <thead>
        <tr>
          <th scope="col">Device</th>
          <th scope="col">Logged in</th>
          <th scope="col">Last seen</th>
          <th scope="col" class="num">Entries</th>
          <td></td>
        </tr>
      </thead>
      <tbody>
        ${sessions.map(row)}
      </tbody>
    </table>
    <form class="below" method="post" action="/devices/end-others">
      <button>Sign out everywhere else</button>
    </form>`;
}
