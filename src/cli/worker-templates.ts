// The files of `kocha-session init --host worker`: a Cloudflare Worker that wrangler runs and deploys, with its
// sessions in Durable Objects or in D1.
import { readFileSync } from "node:fs";
import { packageVersions } from "./packages.ts";
import { controllerFile, lifetimes, type ProjectOptions } from "./templates.ts";

/** The stores of a worker. */
export const workerStores = ["durable-object", "d1"] as const;
/** The name of a store of a worker. */
export type WorkerStore = (typeof workerStores)[number];

/** The choices for a worker. */
export interface WorkerOptions extends Pick<ProjectOptions, "app" | "https" | "version"> {
  readonly store: WorkerStore;
}

/** The date whose behaviour of the runtime the worker asks for. */
const COMPATIBILITY_DATE = "2026-04-01";

/** The part of a worker that depends on its store. */
interface WorkerTemplate {
  /** Import lines of config/app.ts. */
  readonly imports: string;
  /** The fields of the environment, as lines of an interface. */
  readonly env: string;
  /** The value of `store`. */
  readonly store: string;
  /** More import lines of the worker's module. */
  readonly workerImports: string;
  /** The worker's handlers beside `fetch`, as lines of an object. */
  readonly handlers: string;
  /** What the worker's module exports beside its handlers; ends with a line break unless it is empty. */
  readonly classes: string;
  /** The bindings, as fields of wrangler.jsonc. */
  readonly bindings: (app: string) => object;
  readonly scripts: Readonly<Record<string, string>>;
  /** More files, by path. */
  readonly files: () => readonly (readonly [string, string])[];
  /** What is done by hand before the first deployment. */
  readonly deploying: readonly string[];
}

const secret = "npx wrangler secret put SESSION_SIGNING_KEY";

const templates: Readonly<Record<WorkerStore, WorkerTemplate>> = {
  "durable-object": {
    imports: 'import { SessionDurableStore } from "kocha-session/durable-object";\n',
    env: `  readonly SESSIONS: DurableObjectNamespace;
  readonly SUBJECTS: DurableObjectNamespace;
`,
    store: "new SessionDurableStore({ sessions: env.SESSIONS, subjects: env.SUBJECTS })",
    workerImports: "",
    handlers: "",
    classes: `
// An object for each session, and one for each user with the list of their sessions.
export { SessionObject, SubjectObject } from "kocha-session/durable-object";
`,
    bindings: () => ({
      durable_objects: {
        bindings: [
          { name: "SESSIONS", class_name: "SessionObject" },
          { name: "SUBJECTS", class_name: "SubjectObject" },
        ],
      },
      migrations: [{ tag: "v1", new_sqlite_classes: ["SessionObject", "SubjectObject"] }],
    }),
    scripts: { start: "wrangler dev", deploy: "wrangler deploy" },
    files: () => [],
    deploying: [secret],
  },
  d1: {
    imports: 'import { SessionSqliteStore } from "kocha-session/sqlite";\n',
    env: "  readonly DB: D1Database;\n",
    store: "new SessionSqliteStore({ client: env.DB })",
    workerImports: 'import { SessionSqliteStore } from "kocha-session/sqlite";\n',
    handlers: `  // Removes expired sessions, which read as absent anyway, to free their space: by the cron of wrangler.jsonc.
  async scheduled(_controller, env) {
    await new SessionSqliteStore({ client: env.DB }).sweep(1000);
  },
`,
    classes: "",
    bindings: (app) => ({
      triggers: { crons: ["*/5 * * * *"] },
      d1_databases: [
        {
          binding: "DB",
          database_name: app,
          // What `wrangler d1 create` prints takes its place.
          database_id: "00000000-0000-0000-0000-000000000000",
          migrations_dir: "migrations",
        },
      ],
    }),
    scripts: {
      start: "wrangler d1 migrations apply DB --local && wrangler dev",
      deploy: "wrangler d1 migrations apply DB --remote && wrangler deploy",
    },
    files: () => [["migrations/0001_sessions.sql", sessionsSql()]],
    deploying: ["npx wrangler d1 create <name>, and its database_id into wrangler.jsonc", secret],
  },
};

/** The files of a worker's project, by path. */
export function workerFiles(options: WorkerOptions): Map<string, string> {
  const { app, store, version } = options;
  const { files, scripts } = templates[store];
  const devDependencies = pick(["@cloudflare/workers-types", "typescript", "wrangler"]);
  return new Map([
    ["wrangler.jsonc", wranglerFile(options)],
    ["config/app.ts", configFile(options)],
    ["controllers/root.ts", controllerFile({ js: false })],
    ["src/worker.ts", workerFile(options)],
    [
      "package.json",
      json({
        name: app,
        private: true,
        type: "module",
        scripts: { ...scripts, check: "tsc" },
        dependencies: { "kocha-session": version },
        devDependencies,
      }),
    ],
    ["tsconfig.json", tsconfig],
    ...files(),
  ]);
}

/** What is done by hand before a worker's first deployment. */
export function deployingSteps(store: WorkerStore): readonly string[] {
  return templates[store].deploying;
}

function wranglerFile({ app, store }: WorkerOptions): string {
  return json({
    $schema: "node_modules/wrangler/config-schema.json",
    name: app.replaceAll("_", "-"),
    main: "src/worker.ts",
    compatibility_date: COMPATIBILITY_DATE,
    ...templates[store].bindings(app),
  });
}

function configFile({ app, https, store }: WorkerOptions): string {
  const { imports, env, store: value } = templates[store];
  return `import { DAY, type SessionConfig } from "kocha-session";
${imports}
/** What wrangler.jsonc binds, and the secret: of .env here, of \`wrangler secret put\` where it is deployed. */
export interface Env {
${env}  readonly SESSION_SIGNING_KEY: string;
}

/** Session settings. They are asked for once in each isolate, at its first request. */
export const session = (env: Env): SessionConfig => ({
  name: "${https ? `__Host-Http-${app}` : `${app}_session`}",
  store: ${value},
  // Signs the tickets that clients hold.
  signingKey: env.SESSION_SIGNING_KEY,

${lifetimes}
  // On http://localhost browsers keep the cookie too, except Safari.
  secure: true,
});
`;
}

function workerFile({ store }: WorkerOptions): string {
  const { workerImports, handlers, classes } = templates[store];
  return `import { withSession } from "kocha-session/fetch";
${workerImports}import { type Env, session } from "../config/app.ts";
import { getRoot } from "../controllers/root.ts";

const fetch = withSession<Request, [Env, ExecutionContext]>(session, async (request, current) =>
  new URL(request.url).pathname === "/"
    ? new Response(await getRoot(current))
    : new Response(null, { status: 404 }),
);
export default {${handlers === "" ? " fetch " : `\n  fetch,\n${handlers}`}} satisfies ExportedHandler<Env>;
${classes}`;
}

const tsconfig = json({
  compilerOptions: {
    target: "es2023",
    lib: ["es2023"],
    module: "es2022",
    moduleResolution: "bundler",
    types: ["@cloudflare/workers-types"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  },
  exclude: ["node_modules"],
});

/** The SQL of the store's table, which the build has written. */
function sessionsSql(): string {
  return readFileSync(new URL("../sql/sqlite-sessions.sql", import.meta.url), "utf8");
}

function pick(names: readonly (keyof typeof packageVersions)[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, packageVersions[name]]));
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
