// "Your devices": the sessions of the one who is logged in, from the store's list, and what ends
// them. It is there with every store that lists.
import { type Express, type Request, Router } from "express";
import {
  destroySession,
  listSessions,
  type SessionSummary,
  type SessionStore,
} from "kocha-session";
import { REMEMBERED } from "./config.ts";
import { type Html, html } from "./html.ts";
import { instant } from "./pages.ts";

/** Who is logged in; "" when nobody is. */
const userOf = ({ session }: Request): string => session.get("name");

/** The device by the name that its browser gives itself: what is stored at login. */
export function deviceLabel(request: Request): string {
  const agent = request.get("User-Agent") ?? "";
  const browser =
    /(Firefox|Edg|OPR|HeadlessChrome|Chrome|Safari)\//.exec(agent)?.[1] ?? "A browser";
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** Adds the page and its forms; `frame` puts the shop around a page. */
export function addDevices(
  app: Express,
  store: SessionStore,
  frame: (request: Request, title: string, content: Html) => string,
): void {
  const router = Router();
  router.get("/", async (request, response) => {
    const sessions: SessionSummary[] = [];
    for await (const one of listSessions(store, userOf(request))) sessions.push(one);
    sessions.sort((one, other) => other.boundAt.getTime() - one.boundAt.getTime());
    response.send(frame(request, "Devices", devicesPage(sessions, request.session.id)));
  });
  router.post("/end", async (request, response) => {
    const { id } = request.body as { readonly id?: unknown };
    const isThere = typeof id === "string" && (await destroySession(store, userOf(request), id));
    request.session.flash.set("notice", isThere ? "Signed out there." : "That was over already.");
    response.redirect(303, "/devices");
  });
  router.post("/end-others", async (request, response) => {
    const count = await store.destroyAll?.(userOf(request), { except: request.session.id });
    request.session.flash.set("notice", `Signed out on ${count ?? 0} other devices.`);
    response.redirect(303, "/devices");
  });
  app.use(
    "/devices",
    (request, response, next) => {
      if (userOf(request) === "") response.redirect(303, "/login");
      else next();
    },
    router,
  );
}

function devicesPage(sessions: readonly SessionSummary[], own: string): Html {
  const now = Date.now();
  const row = ({ id, label, createdAt, expiresAt, sessionExpires, data }: SessionSummary): Html => {
    // The end moves with each renewal, so it says when the session was last seen, to within
    // a tenth of the idle timeout.
    const seen = new Date((expiresAt?.getTime() ?? now) - (sessionExpires ?? REMEMBERED) * 1000);
    const end =
      id === own
        ? html`<em>this one</em>`
        : html`<form method="post" action="/devices/end">
            <input type="hidden" name="id" value="${id}" /><button class="quiet">Sign out</button>
          </form>`;
    return html`<tr data-id="${id}">
      <td>${label}</td>
      <td>${instant(createdAt, now)}</td>
      <td>${instant(seen, now)}</td>
      <td class="num">${data.size}</td>
      <td class="num">${end}</td>
    </tr>`;
  };
  return html`<h1>Your devices</h1>
    <p class="lead">
      Every session that you are logged in with. Signing one out is final: no request of it, however
      late, brings it back.
    </p>
    <table id="devices">
      <thead>
        <tr>
          <th>Device</th>
          <th>Logged in since</th>
          <th>Last seen</th>
          <th class="num">Entries</th>
          <th></th>
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
