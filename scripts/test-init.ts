// `npm run test:init`: each host that `init` offers, as the project that it writes, started and visited in
// Chromium: in development by plain http, with a restart, and in production behind a proxy that ends TLS.
// Writes its rows in docs/results/init.md; names after -- choose hosts.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { request } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
import { hosts } from "../src/cli/templates.ts";
import { launchBrowser } from "../tests/support/browser.ts";
import { BuiltPackage } from "../tests/support/built-package.ts";
import { repository } from "../tests/support/cli.ts";
import { freePort, ServerProcess } from "../tests/support/servers/process.ts";
import { readArguments } from "../trials/lib/arguments.ts";
import { replaceRow, stamp } from "../trials/lib/report.ts";
import { conclude, fault, progress } from "../trials/lib/verdict.ts";

const { names } = readArguments("test:init", {}, { about: "only these", of: [...hosts] });
mkdirSync(join(repository, ".tmp"), { recursive: true });
const built = mkdtempSync(join(repository, ".tmp", "init-"));
const document = join(repository, "docs", "results", "init.md");
const root = mkdtempSync(join(tmpdir(), "kocha-session-init-"));

/** A server of a written project, as its `npm start` starts it. */
async function start(
  folder: string,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly scripts: { readonly start: string };
  };
  const server = new ServerProcess({
    program: process.execPath,
    args: scripts.start.split(" ").slice(1),
    cwd: folder,
    env: { ...env, PORT: String(port) },
    // Not "/": that would be a visit.
    isReady: async () => (await fetch(`http://localhost:${port}/favicon.ico`)).status === 404,
  });
  await server.start();
  return server;
}

/** A proxy that ends TLS, as in front of a site, with a certificate of its own. */
async function endTls(to: number): Promise<Server> {
  const [key, cert] = [join(root, "key.pem"), join(root, "cert.pem")];
  const made = ["-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-nodes"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...made], { stdio: "ignore" });
  const files = { key: readFileSync(key), cert: readFileSync(cert) };
  const proxy = createServer(files, (incoming, outgoing) => {
    const headers = { ...incoming.headers, "x-forwarded-proto": "https" };
    const { method, url } = incoming;
    const passed = request(
      { port: to, host: "localhost", method, path: url, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(passed);
  });
  proxy.listen(0, "localhost");
  await once(proxy, "listening");
  return proxy;
}

/** What a page shows, visit after visit. */
async function visit(context: BrowserContext, url: string, times: number): Promise<string[]> {
  const page = await context.newPage();
  const shown: string[] = [];
  for (let n = 0; n < times; n++) {
    await page.goto(url);
    shown.push(((await page.textContent("body")) ?? "").trim());
  }
  await page.close();
  return shown;
}

/** The session's cookie as the browser keeps it. */
async function cookieOf(context: BrowserContext): Promise<string> {
  const [cookie] = await context.cookies();
  if (cookie === undefined) return "none";
  const { name, secure, httpOnly, sameSite } = cookie;
  return [name, secure && "Secure", httpOnly && "HttpOnly", sameSite].filter(Boolean).join(" ");
}

/** Compares, and gives the cell of the table. */
function expectSame(what: string, found: readonly string[], expected: readonly string[]): string {
  const isSame = JSON.stringify(found) === JSON.stringify(expected);
  if (!isSame) fault(`${what}: ${JSON.stringify(found)} and not ${JSON.stringify(expected)}`);
  return isSame ? "passed" : "failed";
}

async function inDevelopment(browser: Browser, folder: string): Promise<string> {
  const port = await freePort();
  const context = await browser.newContext();
  const url = `http://localhost:${port}/`;
  const first = await start(folder, port, {});
  const before = await visit(context, url, 2);
  await first.kill();
  const second = await start(folder, port, {});
  const found = [...before, ...(await visit(context, url, 1)), await cookieOf(context)];
  await second.kill();
  await context.close();
  const cookie = "tea_session HttpOnly Lax";
  return expectSame(`${folder}, http`, found, ["visit 1", "visit 2", "visit 3", cookie]);
}

async function behindTls(browser: Browser, folder: string, name: string): Promise<string> {
  const port = await freePort();
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const server = await start(folder, port, { NODE_ENV: "production" });
  const proxy = await endTls(port);
  const url = `https://localhost:${(proxy.address() as AddressInfo).port}/`;
  const found = [...(await visit(context, url, 2)), await cookieOf(context)];
  await context.close();
  proxy.closeAllConnections();
  proxy.close();
  await server.kill();
  return expectSame(`${folder}, https`, found, [
    "visit 1",
    "visit 2",
    `${name} Secure HttpOnly Lax`,
  ]);
}

const browser = await launchBrowser();
try {
  const kocha = await BuiltPackage.in(built);
  const chosen = hosts.filter((host) => names.length === 0 || names.includes(host));
  for (const host of chosen) {
    const write = async (name: string, ...flags: readonly string[]): Promise<string> => {
      const folder = join(root, name);
      await kocha.run(["init", "--host", host, "--dir", folder, "--name", "tea", ...flags]);
      await kocha.install(folder);
      return folder;
    };
    const folder = await write(host);
    const results = [
      await inDevelopment(browser, folder),
      await behindTls(browser, folder, "tea_session"),
      await behindTls(browser, await write(`${host}-https`, "--https"), "__Host-Http-tea"),
    ];
    progress([host, ...results].join(", "));
    const row = [host, ...stamp(), browser.version(), ...results];
    writeFileSync(document, replaceRow(readFileSync(document, "utf8"), "run", row));
  }
  conclude(`${chosen.length} hosts`);
} finally {
  await browser.close();
  rmSync(root, { recursive: true, force: true });
  rmSync(built, { recursive: true, force: true });
}
