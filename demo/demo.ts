// The whole demo as one request listener of node:http: each site by the beginning of its path.
import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { deviceBinding } from "kocha-session/device";
import { withSession } from "kocha-session/node";
import { type ProofName, proofs } from "./browser/proofs.mjs";
import { inScene, linesOf, newPageId, isPageId } from "./feed.ts";
import { devices, frameSite } from "./frames.ts";
import { homeContent, waysOf } from "./home.ts";
import { listenerOf, redirect, type Routes, sendJson, sendPage, sendText, urlOf } from "./http.ts";
import { framed, statusContent } from "./layout.ts";
import { runOnBehalf } from "./proofs/on-behalf.ts";
import { isExact, ourWay } from "./proofs/ours.ts";
import { sealedCookies, wholeRows } from "./proofs/sessions.ts";
import { tools } from "./proofs/tools.ts";
import { usualWay } from "./proofs/usual.ts";
import { type DemoSettings, siteConfig } from "./settings.ts";
import { SHOP_COOKIE, shopRoutes } from "./shop.ts";
import { style } from "./style.ts";

/** A text that the browser loads as it is; it lies beside this file, or beside what is built of it. */
const browserFile = (name: string): string =>
  readFileSync(new URL(`browser/${name}`, import.meta.url), "utf8");

/** The demo on a store. */
export function createDemo(settings: DemoSettings): RequestListener {
  const routes = plainRoutes(settings);
  const plain = listenerOf(routes, statusLine);
  const sites: (readonly [string, RequestListener])[] = devices.map(({ label, name }) => {
    const config = siteConfig(settings, `${name}_session`, `/${name}`);
    return [`/${name}`, withSession(config, frameSite(settings, name, label))] as const;
  });
  const ours = siteConfig(settings, "proof_session", "/proofs/ours");
  const ourRoutes = ourWay("/proofs/ours", isExact(settings.store));
  sites.push(["/proofs/ours", withSession(ours, listenerOf(ourRoutes, statusLine))]);
  const main = mainSite(settings);
  return (request, response) => {
    const { pathname, searchParams } = urlOf(request);
    inScene(searchParams.get("page") ?? "", searchParams.get("list") ?? "", () => {
      const method = request.method === "HEAD" ? "GET" : request.method;
      if (Object.hasOwn(routes, `${method} ${pathname}`)) {
        plain(request, response, undefined).catch((error: unknown) => {
          console.error(error);
          response.destroy();
        });
        return;
      }
      const isOf = ([path]: readonly [string, unknown]): boolean =>
        pathname === path || pathname.startsWith(`${path}/`);
      const [, listener = main] = sites.find(isOf) ?? [];
      listener(request, response);
    });
  };
}

/** What the proofs' scripts get in place of a page. */
const statusLine = (_: unknown, status: number): string => `status ${status}`;

/** The routes without a session of ours: files, events, tools, and the usual way's. */
function plainRoutes({ keys, store }: DemoSettings): Routes<undefined> {
  const [page, script] = [browserFile("page.mjs"), browserFile("proofs.mjs")];
  const sealed = "/proofs/sealed";
  const usual = "/proofs/usual";
  const cookies = sealedCookies(keys.secretKey);
  return {
    "GET /style.css": ({ response }) => sendText(response, "text/css", style),
    "GET /page.mjs": ({ response }) => sendText(response, "text/javascript", page),
    "GET /proofs.mjs": ({ response }) => sendText(response, "text/javascript", script),
    "GET /events": ({ query, response }) => sendJson(response, linesOf(query.get("page") ?? "")),
    ...tools(sealed, "proof_sealed"),
    ...tools(usual, "proof_usual"),
    ...tools("/proofs/ours", "proof_session"),
    ...usualWay(cookies, "proof_sealed", sealed, false),
    ...("sealed" in store
      ? {}
      : usualWay(wholeRows(store, keys.signingKey), "proof_usual", usual, isExact(store))),
  };
}

/** The first page and the shop, which have one session. */
function mainSite(settings: DemoSettings): RequestListener {
  const isListing = !("sealed" in settings.store) && settings.store.list !== undefined;
  const routes: Routes = {
    ...shopRoutes(settings),
    "GET /": (visit) => {
      const given = visit.query.get("page") ?? "";
      const id = isPageId(given) ? given : newPageId();
      const content = homeContent(settings, id);
      // Each page has an id of its own, under which its events are kept.
      visit.response.setHeader("Cache-Control", "no-store");
      const title = "Three things sessions get wrong";
      sendPage(visit.response, framed(visit, isListing, { title, content, id }));
    },
    "POST /proofs/run": async ({ form, query, request, response }) => {
      const name = form.get("proof") ?? "";
      const given = query.get("page") ?? "";
      const page = isPageId(given) ? given : newPageId();
      if (Object.hasOwn(proofs, name)) {
        const proof = name as ProofName;
        await runOnBehalf(request, proof, waysOf(settings, proof), page);
      }
      redirect(response, `/?page=${page}#${encodeURIComponent(name)}`);
    },
  };
  return withSession(
    // Over https; browsers bind nothing on plain http.
    { ...siteConfig(settings, SHOP_COOKIE, "/"), deviceBinding: deviceBinding() },
    listenerOf(routes, (visit, status) => {
      const title = status === 404 ? "Not found" : "Error";
      return framed(visit, isListing, { title, content: statusContent(status) });
    }),
  );
}
