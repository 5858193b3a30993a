// What belongs to neither column: the copy of a cookie, and the word to a slow request that its data are
// there. It opens no session.
import { note } from "../feed.ts";
import { addCookie, cookiesOf, type Routes, sendJson, type Visit } from "../http.ts";
import { slowRequests } from "./work.ts";

/** The cookie that holds the copy. */
const POCKET = "pocket";

type Pairs = readonly (readonly [name: string, value: string])[];

/** The request's cookies of one name, and their parts. */
const cookiesHere = ({ request }: Visit<undefined>, own: string): Pairs =>
  [...cookiesOf(request.headers.cookie)].filter(
    ([name]) => name === own || name.startsWith(`${own}.`),
  );

/** The cookies of the copy. */
function cookiesInPocket({ request }: Visit<undefined>): Pairs {
  const copy = cookiesOf(request.headers.cookie).get(POCKET) ?? "";
  const header = Buffer.from(copy, "base64url").toString("latin1");
  // A client may have made it up: what no header can hold is left out.
  return [...cookiesOf(header)].filter((pair) => pair.every((text) => /^[!-~]+$/.test(text)));
}

/**
 * The steps under a path that don't ask a session.
 * @param own - the name of the session's cookie.
 */
export function tools(path: string, own: string): Routes<undefined> {
  const attributes = `Path=${path}; HttpOnly; SameSite=Lax`;
  return {
    // Scripts can't read the cookies, and a thief needs no script: the server hands the copy over.
    [`POST ${path}/copy`]: (visit) => {
      const pairs = cookiesHere(visit, own);
      const header = pairs.map(([name, value]) => `${name}=${value}`).join("; ");
      const copy = Buffer.from(header, "latin1").toString("base64url");
      addCookie(visit.response, `${POCKET}=${copy}; ${attributes}`);
      note(`copied ${namesOf(pairs)}`);
      sendJson(visit.response, {});
    },
    // Afterwards the browser has the copy and nothing else, as another browser would.
    [`POST ${path}/paste`]: (visit) => {
      const pairs = cookiesInPocket(visit);
      for (const [name] of [...cookiesHere(visit, own), [POCKET]]) {
        addCookie(visit.response, `${name}=; ${attributes}; Max-Age=0`);
      }
      for (const [name, value] of pairs)
        addCookie(visit.response, `${name}=${value}; ${attributes}`);
      note(`put back ${namesOf(pairs)}`);
      sendJson(visit.response, {});
    },
    [`POST ${path}/begun`]: async ({ form, response }) => {
      await slowRequests.begun(form.get("run") ?? "");
      sendJson(response, {});
    },
    [`POST ${path}/finish`]: ({ form, response }) => {
      slowRequests.finish(form.get("run") ?? "");
      sendJson(response, {});
    },
  };
}

function namesOf(pairs: Pairs): string {
  return pairs.map(([name, value]) => `${name}=${value.slice(0, 8)}…`).join(" ") || "nothing";
}
