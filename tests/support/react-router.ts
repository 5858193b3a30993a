// React Router's own request handler on a server build that is made by hand, without its compiler: routes
// are objects, and a document is the text of its loaders' data.
import type { RequestListener } from "node:http";
import {
  type AppLoadContext,
  createRequestHandler,
  type MiddlewareFunction,
  type RouterContextProvider,
  type ServerBuild,
} from "react-router";
import { getRequestListener } from "@hono/node-server";

/** What a loader, an action or a middleware gets. */
export interface RouteArgs {
  readonly request: Request;
  readonly context: Readonly<RouterContextProvider>;
}

/** A route's module, as far as it is used here. */
interface RouteModule {
  readonly middleware?: readonly MiddlewareFunction<Response>[];
  readonly loader?: (args: RouteArgs) => unknown;
  readonly action?: (args: RouteArgs) => unknown;
  readonly headers?: (args: { loaderHeaders: Headers; actionHeaders: Headers }) => Headers;
  readonly default?: () => null;
  readonly ErrorBoundary?: () => null;
}

/** A route of the build; its id is its key. */
export interface RouteEntry {
  readonly path?: string;
  readonly parentId?: string;
  readonly module: RouteModule;
}

/** What a document request comes to. */
interface RenderedDocument {
  readonly loaderData: Record<string, unknown>;
  readonly actionData: Record<string, unknown> | null;
  readonly errors: Record<string, unknown> | null;
}

/** How a build is made. */
export interface BuildOptions {
  /** The body of a document. Default: its data as JSON. */
  readonly render?: (document: RenderedDocument) => string;
  /** Gets what React Router reports. Default: nothing. */
  readonly handleError?: (error: unknown) => void;
}

/** React Router's handler of requests, for these routes. */
export function requestHandler(
  routes: Readonly<Record<string, RouteEntry>>,
  options: BuildOptions = {},
): (request: Request, context?: RouterContextProvider) => Promise<Response> {
  const { render = (document) => JSON.stringify(document), handleError = () => undefined } =
    options;
  const entries = Object.entries(routes).map(([id, route]) => [id, { id, ...route }]);
  const build = {
    entry: {
      module: {
        default: (
          _request: Request,
          status: number,
          headers: Headers,
          { staticHandlerContext }: { staticHandlerContext: RenderedDocument },
        ) => {
          const { loaderData, actionData, errors } = staticHandlerContext;
          return new Response(render({ loaderData, actionData, errors }), { status, headers });
        },
        handleError,
      },
    },
    routes: Object.fromEntries(entries),
    assets: { entry: { imports: [], module: "" }, routes: {}, url: "", version: "" },
    future: { v8_middleware: true },
    basename: "/",
    publicPath: "/",
    assetsBuildDirectory: "",
    ssr: true,
    isSpaMode: false,
    prerender: [],
    routeDiscovery: { mode: "initial", manifestPath: "/__manifest" },
  };
  const handler = createRequestHandler(build as unknown as ServerBuild, "production");
  // Its types follow a flag of the application's own.
  return (request, context) => handler(request, context as unknown as AppLoadContext);
}

/** A listener of node:http for a handler. */
export function toListener(handle: (request: Request) => Promise<Response>): RequestListener {
  const listener = getRequestListener((request) => handle(request), {
    overrideGlobalObjects: false,
  });
  return (request, response) => void listener(request, response);
}

/** Throws an answer, as applications of React Router do. */
export function answerBy(response: Response): never {
  // oxlint-disable-next-line typescript/only-throw-error -- its idiom
  throw response;
}
