// The files of `kocha-session init`: a configuration, a server with one GET controller, and the files
// that run it. Each host has its own server template; TypeScript and .mjs differ only in types.
import { type Package, packageVersions } from "./packages.ts";
import { type Store, storeTemplates } from "./store-templates.ts";

/** The hosts of `init`. */
export const hosts = ["express", "fastify", "koa", "hono", "h3", "node", "fetch"] as const;
/** The name of a host of `init`. */
export type Host = (typeof hosts)[number];

/** The choices for a project. */
export interface ProjectOptions {
  readonly host: Host;
  readonly store: Store;
  /** The application's name, from which the cookie's name is made. */
  readonly app: string;
  /** True: the site is served only by https. */
  readonly https: boolean;
  /** True: .mjs files instead of TypeScript. */
  readonly js: boolean;
  /** This package's own version. */
  readonly version: string;
}

/** The packages of each host, at run time and for types. */
const packages: Readonly<
  Record<Host, { readonly run: readonly Package[]; readonly types: readonly Package[] }>
> = {
  express: { run: ["express"], types: ["@types/express"] },
  fastify: { run: ["fastify"], types: [] },
  koa: { run: ["koa"], types: ["@types/koa"] },
  hono: { run: ["hono", "@hono/node-server"], types: [] },
  h3: { run: ["h3"], types: [] },
  node: { run: [], types: [] },
  fetch: { run: ["@hono/node-server", "hono"], types: [] },
};

/** The files of a project, by path. */
export function projectFiles(options: ProjectOptions): Map<string, string> {
  const extension = options.js ? "mjs" : "ts";
  return new Map([
    [`config/app.${extension}`, configFile(options)],
    [`controllers/root.${extension}`, controllerFile(options)],
    [`server.${extension}`, serverFile(options, extension)],
    ["package.json", packageFile(options, extension)],
    ...(options.js ? [] : [["tsconfig.json", tsconfig] as const]),
  ]);
}

/** For `npm run check`; the program itself runs by tsx. */
const tsconfig = `${JSON.stringify(
  {
    compilerOptions: {
      target: "es2023",
      module: "nodenext",
      types: ["node"],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
    },
    exclude: ["node_modules"],
  },
  null,
  2,
)}\n`;

/** The fields of a configuration that are the same everywhere. */
export const lifetimes = `  // Expiration of the session cookie, in seconds, from now.
  // Persistent if -1; for not specified, set 0.
  cookieExpires: 90 * DAY,

  // Expiration of the session data, in seconds, from the last renewal: the idle timeout.
  // Persistent if -1; for not specified, set 0.
  sessionExpires: 90 * DAY,

  // A session ends a year after it began, however much it is used.
  absoluteExpires: 365 * DAY,
  httpOnly: true,
`;

/** A configuration's fields around its store, as lines of an object of a module. */
export function configFields(
  { store, app, https }: Pick<ProjectOptions, "store" | "app" | "https">,
  value: string,
): string {
  const signing =
    store === "cookie"
      ? ""
      : `  // Signs the tickets that clients hold; it is generated, in .env, and for this machine only.
  signingKey: process.env["SESSION_SIGNING_KEY"],
`;
  const name = https ? `__Host-Http-${app}` : `${app}_session`;
  const secure = https
    ? "  secure: true,"
    : `
  // In production always Secure, also behind a proxy that passes requests on by plain http. Elsewhere
  // plain http on this machine is enough; a site that is only https takes true, and __Host-Http-.
  secure: process.env["NODE_ENV"] === "production" || "auto",`;
  return `  name: "${name}",
  store: ${value},
${signing}
${lifetimes}${secure}
`;
}

function configFile(options: ProjectOptions): string {
  const { store, js } = options;
  const template = storeTemplates[store];
  const names = ["DAY", ...template.core, ...(js ? [] : ["type SessionConfig"])];
  return `${template.imports}import { ${names.join(", ")} } from "kocha-session";

${template.setup}${template.setup === "" ? "" : "\n"}// Session settings
${js ? '/** @type {import("kocha-session").SessionConfig} */\n' : ""}export const session${js ? "" : ": SessionConfig"} = {
${configFields(options, template.store)}};
`;
}

/** The controller of GET /. */
export function controllerFile({ js }: Pick<ProjectOptions, "js">): string {
  const type = js ? "" : 'import type { Session } from "kocha-session";\n\n';
  return `${type}/** GET /: counts the visits of each client. */
export async function getRoot(session${js ? "" : ": Session"})${js ? "" : ": Promise<string>"} {
  const visits = await session.increment("visits");
  return \`visit \${visits}\\n\`;
}
`;
}

function serverFile({ host }: ProjectOptions, extension: string): string {
  const imports = `import { session } from "./config/app.${extension}";
import { getRoot } from "./controllers/root.${extension}";

const port = Number(process.env["PORT"] ?? 3000);
`;
  const servers: Record<Host, string> = {
    express: `import express from "express";
import { sessionMiddleware } from "kocha-session/express";
${imports}
const app = express();
// app.set("trust proxy", 1); // behind one proxy that speaks TLS: then req.secure and req.ip are the client's
app.use(sessionMiddleware(session));
app.get("/", async (req, res) => {
  res.type("text").send(await getRoot(req.session));
});
app.listen(port, () => console.log(\`http://localhost:\${port}\`));
`,
    fastify: `import Fastify from "fastify";
import { sessionPlugin } from "kocha-session/fastify";
${imports}
const app = Fastify(); // behind one proxy that speaks TLS: Fastify({ trustProxy: 1 })
app.register(sessionPlugin, session);
app.get("/", async (request) => getRoot(request.session));
await app.listen({ port, host: "0.0.0.0" });
console.log(\`http://localhost:\${port}\`);
`,
    koa: `import Koa from "koa";
import { sessionMiddleware } from "kocha-session/koa";
${imports}
const app = new Koa();
// app.proxy = true; // behind a proxy that speaks TLS: then ctx.secure and ctx.ip are the client's
app.use(sessionMiddleware(session));
app.use(async (ctx) => {
  // Every other path is answered with 404: a browser's request for an icon is no visit.
  if (ctx.path === "/") ctx.body = await getRoot(ctx.session);
});
app.listen(port, () => console.log(\`http://localhost:\${port}\`));
`,
    hono: `import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { sessionMiddleware } from "kocha-session/hono";
${imports}
const app = new Hono();
app.use(sessionMiddleware(session));
app.get("/", async (c) => c.text(await getRoot(c.get("session"))));
serve({ fetch: app.fetch, port }, () => console.log(\`http://localhost:\${port}\`));
`,
    h3: `import { H3, serve } from "h3";
import { sessionMiddleware, sessionOf } from "kocha-session/h3";
${imports}
const app = new H3();
app.use(sessionMiddleware(session));
app.get("/", (event) => getRoot(sessionOf(event)));
await serve(app, { port, silent: true }).ready();
console.log(\`http://localhost:\${port}\`);
`,
    node: `import { createServer } from "node:http";
import { withSession } from "kocha-session/node";
${imports}
const server = createServer(
  withSession(session, async (req, res, current) => {
    if (req.method === "GET" && req.url === "/") {
      res.end(await getRoot(current));
    } else {
      res.statusCode = 404;
      res.end();
    }
  }),
);
server.listen(port, () => console.log(\`http://localhost:\${port}\`));
`,
    fetch: `import { serve } from "@hono/node-server";
import { withSession } from "kocha-session/fetch";
${imports}
// The same function is what Bun.serve and Deno.serve take.
const handler = withSession(session, async (request, current) =>
  new URL(request.url).pathname === "/"
    ? new Response(await getRoot(current))
    : new Response(null, { status: 404 }),
);
serve({ fetch: handler, port }, () => console.log(\`http://localhost:\${port}\`));
`,
  };
  return servers[host];
}

function packageFile({ host, store, app, js, version }: ProjectOptions, extension: string): string {
  const pick = (names: readonly Package[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, packageVersions[name]]));
  const needed = [packages[host], storeTemplates[store]];
  const run = needed.flatMap((part) => part.run);
  const types = needed.flatMap((part) => part.types);
  const runner: readonly Package[] = js ? [] : ["tsx"];
  const loader = js ? "" : " --import tsx";
  return `${JSON.stringify(
    {
      name: app,
      private: true,
      type: "module",
      engines: { node: "^20.19.0 || >=22.3.0" },
      scripts: {
        start: `node --env-file=.env${loader} server.${extension}`,
        ...(js ? {} : { check: "tsc" }),
      },
      dependencies: { "kocha-session": version, ...pick([...run, ...runner]) },
      ...(js ? {} : { devDependencies: pick([...types, "@types/node", "typescript"]) }),
    },
    null,
    2,
  )}\n`;
}
