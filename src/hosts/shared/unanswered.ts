// A response after a failed commit, until the host's error path answers: until then, writes are the rest
// of the dropped answer from a handler that continues. It knows no session.
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

  /** True for the error's answer: the call has a head of its own, or the head was changed before. */
  isAnsweredBy(method: HeldMethod): boolean {
    return method === "writeHead" || headOf(this.#response) !== this.#head;
  }

  /** Gives the response the error's status, for an error path that ends it without setting one. */
  takeStatus(): void {
    this.#response.statusCode = this.#status;
  }
}

function headOf(response: ServerResponse): string {
  return JSON.stringify([response.statusCode, response.getHeaders()]);
}
