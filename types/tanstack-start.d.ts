// The used part of what TanStack Start declares, for a repository that doesn't install it: it needs a newer
// Node.js. The example's test compiles this package's declarations against the real ones.

declare module "@tanstack/react-start" {
  interface RequestServerResult {
    request: Request;
    pathname: string;
    context: object;
    response: Response;
  }

  interface RequestServerOptions {
    request: Request;
    next: (options: { context: object }) => Promise<RequestServerResult> | RequestServerResult;
  }

  export interface RequestMiddlewareAfterServer<TRegister, TMiddlewares, TServerContext> {
    "~types": { register: TRegister; middlewares: TMiddlewares; serverContext: TServerContext };
  }

  export function createMiddleware(): {
    server<TServerContext>(
      handle: (options: RequestServerOptions) => Promise<RequestServerResult>,
    ): RequestMiddlewareAfterServer<object, undefined, TServerContext>;
  };
}

declare module "@tanstack/react-start/server" {
  export function appendResponseHeader(name: string, value: string): void;
  export function getResponseHeaders(): Headers;
  export function setResponseHeader(name: string, value: string | string[]): void;
}
