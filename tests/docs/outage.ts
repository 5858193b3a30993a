// What is asked of a snippet's servers while their store fails: every route that the snippet shows,
// and its upgrade.
import { expect } from "vitest";
import { connectByWebSocket, visitByHttp2, Visitor } from "./clients.ts";
import { type Fault, faults } from "./failing-store.ts";
import type { RunningSnippet, Snippet } from "./snippets.ts";

/**
 * What a snippet's router takes, as method and path; the front page where it has none. What passport
 * or a limit guards is refused before anybody looks at the session.
 */
function routesOf({ code }: Snippet): (readonly [method: string, path: string])[] {
  const shown = Array.from(
    code.matchAll(
      /\.(get|post)\("(\/[^"]*)", (?!upgradeWebSocket|defineWebSocketHandler|passport\.|limited)/g,
    ),
    ([, method = "", path = ""]) => [method.toUpperCase(), path] as const,
  );
  return shown.length > 0 || isUpgradeOnly(code) ? shown : [["GET", "/"]];
}

/** Whether a snippet's front page is an upgrade, and nothing else. */
function isUpgradeOnly(code: string): boolean {
  return /\b(?:upgradeWebSocket|defineWebSocketHandler)\(/.test(code);
}

/** Whether a snippet has sessions that can fail: the drop-in has cookies of its own, for other stores. */
function hasSession({ code }: Snippet): boolean {
  return code.includes("kocha-session") && !code.includes("compat/express-session");
}

/** Asks for everything with one cookie. */
async function surveyWith(
  fault: Fault,
  { servers, cookies }: RunningSnippet,
  snippet: Snippet,
): Promise<void> {
  const cookie = cookies?.[fault] ?? "";
  const mustFail = fault !== "none" && hasSession(snippet);
  for (const { port, protocol } of servers) {
    for (const [method, path] of routesOf(snippet)) {
      const visitor = new Visitor(port);
      visitor.cookie = cookie;
      const { status } = await (protocol === "http2"
        ? visitByHttp2(port, path, cookie)
        : visitor.visit(path, method));
      const fails = status === 500 || status === 503;
      expect({ fault, method, path, status, fails }).toMatchObject({ fails: mustFail });
    }
    if (!snippet.code.includes("openSession")) continue;
    const answer = await connectByWebSocket(port, cookie);
    // Nothing is saved there.
    const refused = answer === "500" || answer === "503";
    expect({ fault, answer, refused }).toMatchObject({ refused: fault.startsWith("load") });
  }
}

/**
 * Each way to fail is answered with 500 or 503, whatever is asked for; and when all is over, the
 * snippet still serves those whose sessions the store has.
 */
export async function surviveOutage(running: RunningSnippet, snippet: Snippet): Promise<void> {
  const failing = faults.filter((fault) => fault !== "none");
  await Promise.all(failing.map((fault) => surveyWith(fault, running, snippet)));
  await surveyWith("none", running, snippet);
}
