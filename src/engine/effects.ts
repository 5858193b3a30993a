// What a response owes the client after the commit, and how it is put into headers that may hold
// the application's own already. It knows header values, no framework.

/** What the adapter does to the response before its headers leave. */
export interface ResponseEffects {
  /** Set-Cookie values, to be added to the application's own. */
  readonly setCookie: readonly string[];
  /** Whether the response depends on the session: `Vary: Cookie`. */
  readonly vary: boolean;
  /** Whether nobody may store the response, as when it sets a cookie: `Cache-Control: no-store`. */
  readonly noStore: boolean;
}

/** The effects of a request that never looked at its session. */
export const noEffects: ResponseEffects = { setCookie: [], vary: false, noStore: false };

/** The same where `vary` is "always". */
export const varyOnly: ResponseEffects = { setCookie: [], vary: true, noStore: false };

/** Whether there is anything to do. */
export function hasEffects(effects: ResponseEffects): boolean {
  return effects.vary || effects.setCookie.length > 0 || effects.noStore;
}

/**
 * The Vary value with `Cookie` in it: RFC 9110 section 12.5.5.
 * @param existing - the response's own value; absent: none.
 */
function mergeVary(existing: string | undefined): string {
  if (existing === undefined || existing.trim() === "") return "Cookie";
  const names = existing.split(",").map((name) => name.trim().toLowerCase());
  return names.includes("*") || names.includes("cookie") ? existing : `${existing}, Cookie`;
}

/**
 * The Cache-Control value that keeps a Set-Cookie out of every cache: RFC 9111 section 5.2.2.5.
 * @param existing - the response's own value; one that forbids storing already stays as it is.
 */
function mergeCacheControl(existing: string | undefined): string {
  const directives = (existing ?? "").split(",").map((one) => one.trim().toLowerCase());
  return existing !== undefined && directives.includes("no-store") ? existing : "no-store";
}

/** A response's headers, as an adapter reaches them. */
export interface HeaderAccess {
  readonly get: (name: string) => string | undefined;
  readonly set: (name: string, value: string) => void;
  /** Adds a Set-Cookie beside those that are there. */
  readonly append: (name: string, value: string) => void;
}

/** Puts the effects into the headers. */
export function applyEffects(effects: ResponseEffects, headers: HeaderAccess): void {
  for (const cookie of effects.setCookie) headers.append("Set-Cookie", cookie);
  if (effects.vary) headers.set("Vary", mergeVary(headers.get("Vary")));
  if (effects.noStore)
    headers.set("Cache-Control", mergeCacheControl(headers.get("Cache-Control")));
}
