// The two framed browsers of the first page: a laptop and a phone, each with a cookie of its own, on
// which the same person is logged in.
import { endingOf } from "./elsewhere.ts";
import { refusal } from "./feed.ts";
import { type Html, html } from "./html.ts";
import { listenerOf, redirect, sendPage, type Visit } from "./http.ts";
import { bare, noticeOf, statusContent } from "./layout.ts";
import { type DemoSettings, IDLE_TIMEOUT } from "./settings.ts";
import type { SessionListener } from "kocha-session/node";

/** The framed browsers, by the name of their path. */
export const devices: readonly { readonly name: string; readonly label: string }[] = [
  { name: "laptop", label: "Laptop" },
  { name: "phone", label: "Phone" },
];

/** The pages of one framed browser, under its name. */
export function frameSite(settings: DemoSettings, name: string, label: string): SessionListener {
  const path = `/${name}`;
  const end = endingOf(settings);
  const to = (action: string, { query }: Visit): string => {
    const kept = new URLSearchParams();
    for (const key of ["page", "list", "as"]) kept.set(key, query.get(key) ?? "");
    return `${path}${action}?${kept.toString()}`;
  };
  const show = (visit: Visit): void => {
    const user = visit.session.get("name");
    const content = user === "" ? loggedOut(visit) : loggedIn(visit, user);
    const notice = noticeOf(visit.session.flash.get("notice"));
    sendPage(visit.response, bare({ title: label, content: html`${notice}${content}` }, "frame"));
  };
  const loggedOut = (visit: Visit): Html => {
    const reason = refusal();
    const ended =
      reason === undefined
        ? undefined
        : html`<p class="flash warn" role="status">
            Logged out from elsewhere: the cookie was refused (${reason}).
          </p>`;
    return html`${ended}
      <h1>Nobody is logged in</h1>
      <form method="post" action="${to("/login", visit)}">
        <label
          >Name
          <input
            type="text"
            name="name"
            required
            maxlength="40"
            autocomplete="off"
            value="${visit.query.get("as") ?? ""}"
        /></label>
        <button>Log in on this ${name}</button>
      </form>`;
  };
  const loggedIn = (visit: Visit, user: string): Html =>
    html`<h1>Hello, ${user}</h1>
      ${
        end === undefined
          ? html`<p class="lead">${settings.storeName} has no list of a user's sessions to end.</p>`
          : html`<form method="post" action="${to("/end-others", visit)}">
              <button>Log out everywhere else</button>
            </form>`
      }
      <form method="post" action="${to("/logout", visit)}">
        <button class="quiet">Log out here</button>
      </form>`;
  return listenerOf(
    {
      [`GET ${path}`]: show,
      [`POST ${path}/login`]: async (visit) => {
        const user = (visit.form.get("name") ?? "").trim().slice(0, 40);
        if (user !== "") {
          const { session } = visit;
          await session.regenerate();
          session.bind(user, { label });
          session.set("name", user);
          session.sessionExpires = IDLE_TIMEOUT;
        }
        redirect(visit.response, to("", visit));
      },
      [`POST ${path}/end-others`]: async (visit) => {
        const { session } = visit;
        const user = session.get("name");
        if (user !== "") {
          await end?.(user, session.id);
          session.flash.set("notice", "Logged out everywhere else.");
        }
        redirect(visit.response, to("", visit));
      },
      [`POST ${path}/logout`]: async (visit) => {
        await visit.session.destroy();
        redirect(visit.response, to("", visit));
      },
    },
    (_, status) => bare({ title: label, content: statusContent(status) }, "frame"),
  );
}
