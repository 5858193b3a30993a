// Whether a request comes from this machine, for `secure: "auto"`.

/** What proxies add to a request that they pass on: RFC 7239, RFC 9110 section 7.6.3, and custom. */
const forwardingHeaders = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

/**
 * Whether the client is this machine: the socket's other end is, and isn't a proxy that passes on
 * what comes from elsewhere.
 * @param address - the socket's other end.
 * @param header - the request's header of that lower-case name, whatever stands for none.
 */
export function isLocal(address: string | undefined, header: (name: string) => unknown): boolean {
  return isLoopback(address) && !forwardingHeaders.some((name) => Boolean(header(name)));
}

/** RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address);
}

/** What Deno passes to a handler, or Bun, whose server knows the address of a request. */
interface AddressSource {
  readonly remoteAddr?: { readonly hostname?: string };
  readonly requestIP?: (request: Request) => { readonly address?: string } | null;
}

/** The socket's other end, as Deno or Bun tells it beside a request; undefined: it doesn't. */
export function addressOf(request: Request, host: unknown): string | undefined {
  if (typeof host !== "object" || host === null) return undefined;
  const { remoteAddr, requestIP } = host as AddressSource;
  if (remoteAddr !== undefined) return remoteAddr.hostname;
  return typeof requestIP === "function" ? requestIP.call(host, request)?.address : undefined;
}
