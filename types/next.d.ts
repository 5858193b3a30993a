// The used part of what Next.js and React declare, for this repository, which installs neither. The
// example's test compiles the package's declarations against the real ones.

declare module "next/headers" {
  import type { RequestCookie, ResponseCookie } from "next/server";

  interface ReadonlyRequestCookies {
    getAll(): RequestCookie[];
    set(cookie: ResponseCookie): unknown;
    delete(name: string): unknown;
  }

  export function cookies(): Promise<ReadonlyRequestCookies>;
  export function headers(): Promise<Pick<Headers, "get">>;
}

declare module "next/server" {
  interface RequestCookie {
    name: string;
    value: string;
  }

  interface ResponseCookie extends RequestCookie {
    path?: string;
    domain?: string;
    maxAge?: number;
    expires?: number | Date;
    httpOnly?: boolean;
    secure?: boolean;
    sameSite?: true | false | "lax" | "strict" | "none";
    partitioned?: boolean;
    priority?: "low" | "medium" | "high";
  }

  export class NextRequest extends Request {}

  export class NextResponse extends Response {
    get cookies(): { getAll(): ResponseCookie[]; set(cookie: ResponseCookie): unknown };
    static next(): NextResponse;
  }

  export function after(work: () => void): void;

  export class NextFetchEvent {
    waitUntil(promise: Promise<unknown>): void;
  }
}

declare module "react" {
  export function cache<Args extends unknown[], Result>(
    work: (...args: Args) => Result,
  ): (...args: Args) => Result;
}
