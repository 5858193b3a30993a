// `npm run test:next`: Next.js as a custom server behind Express, with its own bundled compression
// behind the session. It prevents a page that hangs or is cut while a session is being saved. Next
// is too large for `npm ci`, so it has a folder of its own.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import express from "express";
import { sessionMiddleware } from "kocha-session/express";
import { repository } from "../tests/support/cli.ts";
import { freshKey } from "../tests/support/keys.ts";
import { slowStore } from "../tests/support/slow-store.ts";
import { readArguments } from "../trials/lib/arguments.ts";
import { conclude, fault, progress } from "../trials/lib/verdict.ts";

readArguments("test:next", {});

const folder = join(repository, "tests", "frameworks", "next");
const options = {
  cwd: folder,
  stdio: "inherit",
  env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
} as const;
execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], options);
execFileSync("npx", ["--no-install", "next", "build"], options);

interface NextServer {
  prepare(): Promise<void>;
  getRequestHandler(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}
const makeNext = createRequire(join(folder, "package.json"))("next") as (options: {
  readonly dev: boolean;
  readonly dir: string;
}) => NextServer;
const next = makeNext({ dev: false, dir: folder });
await next.prepare();
const handle = next.getRequestHandler();

/** The page as a client that takes gzip gets it; rejects when it is cut. */
async function ask(url: string): Promise<{ body: string; encoding: unknown; cookies: number }> {
  const sent = request(url, { agent: false, headers: { "accept-encoding": "gzip" } });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const body = Buffer.concat(await response.toArray());
  const { "content-encoding": encoding, "set-cookie": cookies = [] } = response.headers;
  const text = encoding === "gzip" ? gunzipSync(body) : body;
  return { body: text.toString(), encoding, cookies: cookies.length };
}

function check(what: string, isSo: boolean): void {
  if (isSo) progress(`passed: ${what}`);
  else fault(what);
}

for (const hasSession of [false, true]) {
  const app = express();
  const store = slowStore();
  if (hasSession) {
    app.use(sessionMiddleware({ store: store.store, signingKey: freshKey(), secure: false }));
    app.use((incoming, _, done) => {
      incoming.session.set("a", "1");
      done();
    });
  }
  app.use((incoming, response) => void handle(incoming, response));
  app.use((_: unknown, __: unknown, response: express.Response, ___: unknown) => {
    response.status(503).send("error");
  });
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (let round = 1; round <= 4; round++) {
    const seen = await ask(url).catch((error: unknown) => ({
      body: String(error),
      encoding: undefined,
      cookies: 0,
    }));
    const isWhole = seen.body.includes("later row 1999 ") && seen.body.includes("</html>");
    const cookies = hasSession ? 1 : 0;
    check(
      `page ${round} ${hasSession ? "with" : "without"} a session: ${seen.body.length} characters`,
      isWhole && seen.encoding === "gzip" && seen.cookies === cookies,
    );
  }
  if (hasSession) {
    store.failsToSave = true;
    const { body } = await ask(url);
    check("a save that fails is answered by Express", body === "error");
  }
  server.closeAllConnections();
  server.close();
}
conclude("Next.js behind Express");
process.exit();
