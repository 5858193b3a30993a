// A site over https with device-bound sessions, another site that leads to it, and a Chromium that binds:
// keys in software, as the flags say, since a test machine has no TPM.
import { createServer, type Server } from "node:https";
import { request as send } from "node:https";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { WebSocketServer } from "ws";
import {
  memoryRevocations,
  type Session,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { deviceBinding, type DeviceBindingOptions } from "kocha-session/device";
import { sessionMiddleware } from "kocha-session/express";
import { withSession } from "kocha-session/fetch";
import { openSession } from "kocha-session/node";
import { ensure } from "../../scripts/ensure.mjs";
import { makeCertificate } from "../support/certificate.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { until } from "../support/until.ts";

const certificate = makeCertificate("localhost", "*.example.test");
const DAY = 86_400;

/** A host with a store. */
export type SiteKind = "Express, a store that answers later" | "fetch, cookie with revocations";

/** The site as it runs. */
export interface DeviceSite {
  readonly origin: string;
  /** Another site, which links to this one and sends its visitors back after a login. */
  readonly other: string;
  readonly events: string[];
  /** The requests of the endpoint. */
  readonly endpoint: string[];
  /** Turns the server's clock; the browser's stands. */
  readonly wait: (seconds: number) => void;
  readonly close: () => Promise<void>;
}

function html(session: Session): string {
  const { device } = session;
  return (
    `<!doctype html><title>site</title><p id=seen>${session.get("user") || "nobody"} ${device}</p>` +
    "<form method=post action=/login><button id=in>in</button></form>" +
    "<form method=post action=/logout><button id=out>out</button></form>"
  );
}

/** The page of a path; a text that begins with a slash is a redirect. */
async function answerTo(session: Session, method: string, path: string): Promise<string> {
  if (path === "/callback" || (method === "POST" && path === "/login")) {
    await session.regenerate();
    session.set("user", "ann");
    session.bindDevice();
    return "/home";
  }
  if (method === "POST" && path === "/logout") {
    await session.destroy();
    return "/home";
  }
  return html(session);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** How a site differs from the usual one. */
export interface DeviceSiteOptions {
  /** The delay of each of its answers, in milliseconds. */
  readonly delay?: number;
  readonly binding?: DeviceBindingOptions;
}

/** Starts the site and the other one. */
export async function startDeviceSite(
  kind: SiteKind,
  { delay = 0, binding }: DeviceSiteOptions = {},
): Promise<DeviceSite> {
  let turned = 0;
  const now = (): number => Date.now() + turned;
  const events: string[] = [];
  const endpoint: string[] = [];
  const onExpress = kind === "Express, a store that answers later";
  const stored: Pick<SessionConfig, "store" | "signingKey" | "revocations"> = onExpress
    ? { store: slowly(new SessionMemoryStore({ now })), signingKey: freshKey() }
    : { store: new SessionCookieStore(freshKeys()), revocations: memoryRevocations({ now }) };
  const engine = new SessionMiddleware({
    ...stored,
    cookieExpires: DAY,
    sessionExpires: DAY,
    now,
    deviceBinding: deviceBinding(binding),
    on: {
      device: ({ what, why }) => void events.push(why === undefined ? what : `${what}: ${why}`),
    },
  });
  const app = express();
  app.use((request, response, next) => {
    if (request.path === "/session/device") {
      const began = performance.now();
      response.on("finish", () => {
        endpoint.push(`${response.statusCode} after ${Math.round(performance.now() - began)} ms`);
      });
    }
    if (delay === 0) next();
    else setTimeout(next, delay);
  });
  if (onExpress) {
    app.use(sessionMiddleware(engine));
    app.use((request, response, next) => {
      answerTo(request.session, request.method, request.path).then((text) => {
        if (text.startsWith("/")) response.redirect(303, text);
        else response.type("html").send(text);
      }, next);
    });
  } else {
    const serve = withSession(engine, async (request, session) => {
      const text = await answerTo(session, request.method, new URL(request.url).pathname);
      return text.startsWith("/")
        ? new Response(null, { status: 303, headers: { location: text } })
        : new Response(text, { headers: { "content-type": "text/html" } });
    });
    app.use(getRequestListener((request) => serve(request), { overrideGlobalObjects: false }));
  }
  const server = createServer(certificate, app);
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    void Promise.resolve(openSession(engine, request)).then((session) => {
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.send(`${session.get("user") || "nobody"} ${session.device}`);
      });
    });
  });
  const origin = `https://localhost:${await listen(server)}`;
  const elsewhere = createServer(certificate, (request, response) => {
    if (request.url === "/sso") response.writeHead(302, { location: `${origin}/callback` }).end();
    else {
      response.setHeader("content-type", "text/html");
      response.end(
        `<!doctype html><a id=link href="${origin}/home">go</a>` +
          "<form method=post action=/sso><button id=sso>log in</button></form>",
      );
    }
  });
  const other = `https://www.example.test:${await listen(elsewhere)}/`;
  return {
    origin,
    other,
    events,
    endpoint,
    wait: (seconds) => void (turned += seconds * 1000),
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      await Promise.all([close(server), close(elsewhere)]);
    },
  };
}

/** What the browser tells of its device-bound sessions, as far as the tests look at it. */
interface BoundEvent {
  readonly creationEventDetails?: { readonly fetchResult: string };
  readonly refreshEventDetails?: { readonly fetchResult?: string };
  readonly terminationEventDetails?: { readonly deletionReason: string };
}

/** A Chromium with a profile of its own. */
export interface DeviceChromium {
  readonly context: BrowserContext;
  readonly page: Page;
  /** The browser's own account of its device-bound sessions: Network.deviceBoundSessionEventOccurred. */
  readonly told: BoundEvent[];
  readonly close: () => Promise<void>;
}

/** A folder for profiles, and what removes it. */
export function makeProfile(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "kocha-session-profile-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Opens it; `binds` false: as a browser without device-bound sessions. */
export async function openChromium(profile: string, binds = true): Promise<DeviceChromium> {
  const features =
    "DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting";
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: ensure("chromium").chromium,
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--host-resolver-rules=MAP *.example.test 127.0.0.1",
      `--ignore-certificate-errors-spki-list=${certificate.spki}`,
      ...(binds ? [`--enable-features=${features}`] : ["--disable-features=DeviceBoundSessions"]),
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const told: BoundEvent[] = [];
  const session = await context.newCDPSession(page);
  // Playwright's types don't know these yet.
  const cdp = session as unknown as {
    on(name: string, listener: (event: BoundEvent) => void): void;
    send(method: string, params?: object): Promise<unknown>;
  };
  cdp.on("Network.deviceBoundSessionEventOccurred", (event) => void told.push(event));
  await cdp.send("Network.enable");
  await cdp.send("Network.enableDeviceBoundSessions", { enable: true });
  return { context, page, told, close: () => context.close() };
}

/** What the page shows of its session. */
export function seen(page: Page): Promise<string | null> {
  return page.textContent("#seen");
}

/** Clicks, and waits for the page that follows. */
export async function follow(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

/** Logs in, and waits until the session is bound, past the minute in which everything counts. */
export async function logInBound({ page, told }: DeviceChromium, site: DeviceSite): Promise<void> {
  await page.goto(`${site.origin}/home`);
  await follow(page, "#in");
  await becomeBound({ page, told }, site);
}

/** Waits for the registration and for the refresh that binds. */
export async function becomeBound(
  { page, told }: Pick<DeviceChromium, "page" | "told">,
  site: DeviceSite,
): Promise<void> {
  const isMade = (): boolean =>
    told.some((event) => event.creationEventDetails?.fetchResult === "Success");
  await until("the registration", isMade);
  // The first device cookie is about to end, so the next page refreshes.
  await page.goto(`${site.origin}/home`);
  await until("the binding", () => site.events.includes("bound"));
  site.wait(61);
}

/** Takes the device cookie from the browser, as its end does. */
export async function endDeviceCookie(
  { context }: DeviceChromium,
  site: DeviceSite,
): Promise<void> {
  await context.clearCookies({ name: "session-device" });
  site.wait(700);
}

/** What a program elsewhere is shown for these cookies. */
export function shownTo(site: DeviceSite, cookie: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { cookie };
    const ca = certificate.cert;
    const asked = send(`${site.origin}/home`, { headers, ca, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(/id=seen>([^<]*)</.exec(text)?.[1] ?? text));
    });
    asked.on("error", reject).end();
  });
}
