// The connection of a request to Next.js, by its headers: Next's server sets those of a proxy itself where
// none is before it. It imports nothing of Next.
import type { Connection } from "../../engine/connection.ts";
import { isLocal } from "../shared/loopback.ts";

/** The host names of this machine: RFC 6761 section 6.3. */
const LOCAL_HOST = /^(localhost|.*\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d+)?$/i;

/** Headers that Next's server sets itself. */
const OWN = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

/** The connection that a request's headers describe; they are read when needed. */
export class HeaderConnection implements Connection {
  readonly #headers: Pick<Headers, "get">;

  constructor(headers: Pick<Headers, "get">) {
    this.#headers = headers;
  }

  get secure(): boolean {
    const protocols = this.#headers.get("x-forwarded-proto") ?? "";
    return protocols.split(",", 1)[0]?.trim() !== "http";
  }

  /** The client's address and the host are this machine, and no header shows a proxy. */
  get loopback(): boolean {
    const header = (name: string): string | null => this.#headers.get(name);
    const address = header("x-forwarded-for") ?? undefined;
    const others = (name: string): string | null => (OWN.includes(name) ? null : header(name));
    return LOCAL_HOST.test(header("host") ?? "") && isLocal(address, others);
  }
}
