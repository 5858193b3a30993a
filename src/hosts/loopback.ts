// Whether an address is this machine's own, for `secure: "auto"`.

/** Whether a socket's other end is this machine: RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address);
}
