/** What is used of Deno's globals; on Deno its own types are there. */
declare const Deno: {
  readonly env: {
    get(name: string): string | undefined;
    toObject(): Record<string, string>;
  };
  serve(
    options: { readonly port: number },
    handler: (request: Request, info: object) => Response | Promise<Response>,
  ): unknown;
};
