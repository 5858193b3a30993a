// The session files of `kocha-session init` for frameworks: what is added to a project that the
// framework's own generator has made. The store is one that needs nothing at a build: cookies, or Redis.
import { type Store, storeTemplates } from "./store-templates.ts";
import { configFields, type ProjectOptions } from "./templates.ts";

/** The frameworks of `init`. */
export const frameworks = [
  "next",
  "nuxt",
  "sveltekit",
  "astro",
  "react-router",
  "tanstack-start",
  "elysia",
  "nestjs",
] as const;
/** The name of a framework of `init`. */
export type Framework = (typeof frameworks)[number];

/** The stores of a framework's session file. */
export const frameworkStores: readonly Store[] = ["cookie", "redis"];

/** What a framework's project gets. */
export interface FrameworkTemplate {
  /** The package by which its projects are known. */
  readonly package: string;
  /** The command of the framework's generator. */
  readonly create: string;
  /** The file of the settings. */
  readonly settings: string;
  /** The settings' text around the configuration's function; default: it is exported as `session`. */
  readonly around?: (configuration: string) => string;
  /** Import lines that `around` needs. */
  readonly imports?: string;
  /** Further files, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** What is done by hand, in files that a project has already. */
  readonly byHand: readonly string[];
}

/** Every framework's template. */
export const frameworkTemplates: Readonly<Record<Framework, FrameworkTemplate>> = {
  next: {
    package: "next",
    create: "npx create-next-app@latest",
    settings: "session.ts",
    imports: 'import { sessions } from "kocha-session/next";\n',
    around: (configuration) =>
      `export const { readSession, withSession, route, proxy } = sessions(${configuration});\n`,
    files: {},
    byHand: [
      'in a server component: const session = await readSession();  session.get("user")',
      'in a server action: await withSession((session) => session.set("user", name))',
    ],
  },
  nuxt: {
    package: "nuxt",
    create: "npm create nuxt@latest",
    settings: "server/session.ts",
    files: {
      "server/middleware/session.ts": `import { sessionMiddleware } from "kocha-session/h3";
import { session } from "../session";

export default sessionMiddleware(session);
`,
    },
    byHand: ['in a server route: event.context.session.get("user")'],
  },
  sveltekit: {
    package: "@sveltejs/kit",
    create: "npx sv create",
    settings: "src/lib/server/session.ts",
    files: {
      "src/hooks.server.ts": `import { sessionHandle } from "kocha-session/sveltekit";
import { session } from "./lib/server/session";

export const handle = sessionHandle(session);
`,
    },
    byHand: ['in a load or an action: locals.session.get("user")'],
  },
  astro: {
    package: "astro",
    create: "npm create astro@latest",
    settings: "src/session.ts",
    files: {
      "src/middleware.ts": `import { sessionMiddleware } from "kocha-session/astro";
import { session } from "./session";

export const onRequest = sessionMiddleware(session);
`,
    },
    byHand: ['in a page that is rendered on demand: Astro.locals.session.get("user")'],
  },
  "react-router": {
    package: "react-router",
    create: "npx create-react-router@latest",
    settings: "app/session.server.ts",
    files: {},
    byHand: [
      "in app/root.tsx:",
      '  import { sessionMiddleware } from "kocha-session/react-router";',
      '  import { session } from "./session.server";',
      "  export const middleware: Route.MiddlewareFunction[] = [sessionMiddleware(session)];",
      'in a loader or an action: context.get(sessionContext).get("user")',
    ],
  },
  "tanstack-start": {
    package: "@tanstack/react-start",
    create: "npx @tanstack/cli@latest create",
    settings: "src/session.ts",
    imports: 'import { createServerOnlyFn } from "@tanstack/react-start";\n',
    around: (configuration) =>
      `/** On the server only, although src/start.ts is in the client's bundle. */
export const session = createServerOnlyFn(${configuration});
`,
    files: {
      "src/start.ts": `import { createCsrfMiddleware, createStart } from "@tanstack/react-start";
import { sessionMiddleware } from "kocha-session/tanstack-start";
import { session } from "./session";

const csrf = createCsrfMiddleware({ filter: ({ handlerType }) => handlerType === "serverFn" });
const sessions = sessionMiddleware(session);

export const startInstance = createStart(() => ({ requestMiddleware: [csrf, sessions] }));
`,
    },
    byHand: ['in a server function: handler(({ context }) => context.session.get("user"))'],
  },
  elysia: {
    package: "elysia",
    create: "bun create elysia app",
    settings: "src/session.ts",
    files: {},
    byHand: [
      "in src/index.ts:",
      '  import { session } from "kocha-session/elysia";',
      '  import { session as settings } from "./session";',
      '  new Elysia().use(session(settings)).get("/", ({ session }) => session.get("user"))',
    ],
  },
  nestjs: {
    package: "@nestjs/core",
    create: "npx @nestjs/cli@latest new app",
    settings: "src/session.ts",
    files: {},
    byHand: [
      "in src/main.ts, before app.listen, on Express:",
      '  import { sessionMiddleware } from "kocha-session/express";',
      "  app.use(sessionMiddleware(session));",
      "or on Fastify:",
      '  import { sessionPlugin } from "kocha-session/fastify";',
      "  await app.register(sessionPlugin, { config: session });",
      'in a controller, by @Session() of @nestjs/common: session.get("user")',
    ],
  },
};

const redisClient = `  const client = createClient({ url: process.env["REDIS_URL"] ?? "redis://localhost:6379" });
  client.on("error", console.error); // without a listener a restart of the server ends the process
  void client.connect();
`;

/** The files of a framework's project, by path. */
export function frameworkFiles(
  framework: Framework,
  options: Pick<ProjectOptions, "store" | "app" | "https">,
): Map<string, string> {
  const { settings, imports = "", around = plainly, files } = frameworkTemplates[framework];
  const isCookie = options.store === "cookie";
  const { store, core, imports: own } = storeTemplates[options.store];
  const names = ["DAY", ...core, "type SessionConfig"];
  const fields = configFields(options, store).replaceAll(/^(?=.)/gm, "  ");
  const configuration = `(): SessionConfig => {
${isCookie ? "" : redisClient}  return {
${fields}  };
}`;
  const text = `import { ${names.join(", ")} } from "kocha-session";
${own}${imports}
// Session settings: a function, which is asked at the first request, so that a build needs no secrets.
${around(configuration)}`;
  return new Map([[settings, text], ...Object.entries(files)]);
}

function plainly(configuration: string): string {
  return `export const session = ${configuration};\n`;
}
