// A response whose commit has failed, until the host's error path answers on it: what is written
// meanwhile is the rest of the dropped answer, whose maker goes on. It knows no session.
import type { ServerResponse } from "node:http";
import { statusOf } from "./error-answer.ts";
import type { HeldMethod } from "./held-methods.ts";

/** A response that waits for its error's answer. */
export class Unanswered {
  readonly #response: ServerResponse;
  readonly #head: string;
  readonly #status: number;

  constructor(response: ServerResponse, error: unknown) {
    this.#response = response;
    this.#head = headOf(response);
    this.#status = statusOf(error);
  }

  /** Whether a call is the error's answer: it brings a head of its own, or the head was changed. */
  isAnsweredBy(method: HeldMethod): boolean {
    return method === "writeHead" || headOf(this.#response) !== this.#head;
  }

  /** Lets the response tell of the error, for who ends it without a word of it. */
  takeStatus(): void {
    this.#response.statusCode = this.#status;
  }
}

function headOf(response: ServerResponse): string {
  return JSON.stringify([response.statusCode, response.getHeaders()]);
}
