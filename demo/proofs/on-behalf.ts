// The proofs for a browser without JavaScript: the same steps, as real requests to this server, by a
// client with a cookie jar of its own.
import type { IncomingMessage } from "node:http";
import { randomUUID } from "node:crypto";
import { type Answer, type ProofName, proofs, type Send, verdictOf } from "../browser/proofs.mjs";
import { setOutcome } from "../feed.ts";

/** Runs a proof's columns one after the other, and remembers their outcomes for the page. */
export async function runOnBehalf(
  { socket }: IncomingMessage,
  proof: ProofName,
  ways: readonly string[],
  page: string,
): Promise<void> {
  const { localAddress = "127.0.0.1", localPort = 80 } = socket;
  const host = localAddress.includes(":") ? `[${localAddress}]` : localAddress;
  for (const way of ways) {
    const list = `${proof}.${way}`;
    const send = sender(`http://${host}:${localPort}/proofs/${way}`, `page=${page}&list=${list}`);
    setOutcome(page, list, verdictOf(proof, await proofs[proof](send, randomUUID())));
  }
}

/** A client that keeps the cookies which it is sent, and sends them. */
function sender(base: string, query: string): Send {
  const jar = new Map<string, string>();
  return async (step, form = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = new URLSearchParams(form);
    const headers = { cookie };
    const response = await fetch(`${base}/${step}?${query}`, { method: "POST", body, headers });
    for (const line of response.headers.getSetCookie()) keep(jar, line);
    if (!response.ok) throw new Error(`${step} was answered with ${response.status}`);
    return (await response.json()) as Answer;
  };
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = "", ...attributes] = line.split("; ");
  const at = pair.indexOf("=");
  if (attributes.includes("Max-Age=0")) jar.delete(pair.slice(0, at));
  else jar.set(pair.slice(0, at), pair.slice(at + 1));
}
