// Recognizes requests from this machine, for `secure: "auto"`.

/** Headers that proxies add: RFC 7239, RFC 9110 section 7.6.3, and usual ones. */
const forwardingHeaders = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

/**
 * True if the client is this machine: the peer's address is loopback, and no header shows a proxy.
 * @param address - the peer's address.
 * @param header - gives the request's header of a lower-case name, or any falsy value for none.
 */
export function isLocal(address: string | undefined, header: (name: string) => unknown): boolean {
  return isLoopback(address) && !isForwarded(header);
}

/** True if a header shows that a proxy has passed the request on. */
export function isForwarded(header: (name: string) => unknown): boolean {
  return forwardingHeaders.some((name) => Boolean(header(name)));
}

/** RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address);
}

/** A request of srvx, which knows its peer. */
interface SrvxRequest extends Request {
  readonly ip?: string;
}

/** Deno's info beside a request, @hono/node-server's, or Bun's server, which knows the request's address. */
interface AddressSource {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
  readonly remoteAddr?: { readonly hostname?: string };
  readonly requestIP?: (request: Request) => { readonly address?: string } | null;
}

/** The peer's address, from the host's info, Bun's server or srvx's request; undefined: unknown. */
export function addressOf(request: Request, host: unknown): string | undefined {
  if (typeof host !== "object" || host === null) return (request as SrvxRequest).ip;
  const { incoming, remoteAddr, requestIP } = host as AddressSource;
  if (incoming !== undefined) return incoming.socket?.remoteAddress;
  if (remoteAddr !== undefined) return remoteAddr.hostname;
  if (typeof requestIP === "function") return requestIP.call(host, request)?.address;
  return (request as SrvxRequest).ip;
}
