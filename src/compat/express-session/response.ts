// The responses of requests with a session. One of node:http or HTTP/2 is held until the session is saved,
// and its end until what changed since then is saved, too. One that can't be held, such as that of a
// WebSocket's handshake, gets the cookie with its head.
import type { ServerResponse } from "node:http";
import { finished } from "node:stream";
import { hold } from "../../hosts/shared/hold.ts";
import type { HeldEngine } from "../../hosts/shared/hold-options.ts";
import type { Visit } from "./visit.ts";

type AnyCall = (...args: unknown[]) => unknown;

/** What a socket's handshake gives for a response. */
interface Handshake {
  writeHead?: AnyCall;
  readonly getHeader?: (name: string) => unknown;
  readonly setHeader?: (name: string, value: string | readonly string[]) => unknown;
}

const visits: HeldEngine<Visit> = {
  commit: (visit) => visit.commit(),
  // A session of a server-side store is saved whether its client still waits or not.
  abandon: () => undefined,
  whenChanged: () => undefined,
};

/** Has a response wait for its session. */
export function attach(
  response: ServerResponse,
  visit: Visit,
  fail: (error: unknown) => void,
): void {
  if (!("headersSent" in response)) {
    sendAtHead(response, visit, fail);
    return;
  }
  visit.isHeld = true;
  // ORDER: before the hold, whose own `end` calls this one when the head has left.
  saveAtEnd(response, visit, fail);
  hold(response, { engine: visits, session: visit, fail });
}

function saveAtEnd(response: ServerResponse, visit: Visit, fail: (error: unknown) => void): void {
  const target = response as unknown as { end: AnyCall };
  const { end } = target;
  let isEnding = false;
  target.end = (...args) => {
    // As node: a second end of a response says nothing more.
    if (isEnding) return response;
    let saving: Promise<void> | undefined;
    try {
      saving = visit.saveAtEnd();
    } catch (error) {
      saving = Promise.reject(error);
    }
    if (saving === undefined) {
      const { failedRenewal } = visit;
      // Not before: an error path destroys the socket of a response that has begun.
      if (failedRenewal !== undefined) finished(response, () => fail(failedRenewal));
      return end.apply(response, args);
    }
    isEnding = true;
    const leave = (): void => void end.apply(response, args);
    saving.then(leave, (error: unknown) => {
      // As express-session: the answer is on its way, so the error comes after it.
      leave();
      setImmediate(fail, error);
    });
    return response;
  };
}

function sendAtHead(response: Handshake, visit: Visit, fail: (error: unknown) => void): void {
  const { writeHead, setHeader } = response;
  if (typeof writeHead !== "function" || typeof setHeader !== "function") return;
  response.writeHead = (...args) => {
    response.writeHead = writeHead;
    try {
      const cookie = visit.cookieAtHead();
      const others = response.getHeader?.("Set-Cookie") ?? [];
      if (cookie !== undefined) {
        setHeader.call(response, "Set-Cookie", [others, cookie].flat() as string[]);
      }
    } catch (error) {
      fail(error);
    }
    return writeHead.apply(response, args);
  };
}
