// A track that says how a race is getting on, so that one that has stopped can be told from one that is slow.
import { progress } from "../lib/verdict.ts";
import type { RaceTrack } from "./driver.ts";

/** Milliseconds between two lines. */
const INTERVAL = 10_000;

/** Sends on a track, and says every ten seconds how many requests are over, unanswered and under way. */
export class ToldTrack implements RaceTrack {
  readonly sleep: RaceTrack["sleep"];
  readonly now: RaceTrack["now"];
  readonly #track: RaceTrack;
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #over = 0;
  #unanswered = 0;

  /** @param operations - the approximate number of requests of the race. */
  constructor(track: RaceTrack, operations: number) {
    this.#track = track;
    this.sleep = track.sleep;
    this.now = track.now;
    this.#timer = setInterval(() => {
      const underWay = this.#sent - this.#over;
      progress(
        `${this.#over} of about ${operations} requests, ${this.#unanswered} of them unanswered, ${underWay} under way`,
      );
    }, INTERVAL);
  }

  readonly send: RaceTrack["send"] = async (...request) => {
    this.#sent++;
    const reply = await this.#track.send(...request);
    this.#over++;
    if (reply.answer === undefined) this.#unanswered++;
    return reply;
  };

  /** Says no more. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
