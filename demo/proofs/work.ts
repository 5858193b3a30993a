// What makes requests overlap: each click looks something up, and a slow request waits for its data.
import { setTimeout as pause } from "node:timers/promises";

/** Milliseconds of a look-up, as in a database. */
const LOOK_UP = 150;
/** Milliseconds after which a slow request ends, whatever its visitor does. */
const LONGEST = 5000;
/** Slow requests at once. */
const MOST = 200;

/** What every click waits for between reading the session and changing it. */
export async function lookUp(): Promise<void> {
  await pause(LOOK_UP);
}

/** The thing that a click puts into the cart: no text of a stranger's gets into a session. */
export function itemOf(form: URLSearchParams): string {
  const item = form.get("item") ?? "";
  return /^item-\d$/.test(item) ? item : "item-0";
}

/** Something that happens once. */
class Moment {
  readonly reached: Promise<void>;
  #reach: () => void = () => undefined;

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
  }

  reach(): void {
    this.#reach();
  }
}

/** The slow requests that are under way, by the number that their visitor gave them. */
class SlowRequests {
  readonly #runs = new Map<string, { readonly begun: Moment; readonly finished: Moment }>();

  /** Waits until the visitor says that the data are there. */
  async wait(run: string): Promise<void> {
    const { begun, finished } = this.#runOf(run);
    begun.reach();
    await withinLongest(finished.reached);
    this.#runs.delete(run);
  }

  /** Resolves when the slow request has loaded its session. */
  async begun(run: string): Promise<void> {
    await withinLongest(this.#runOf(run).begun.reached);
  }

  /** The data are there. */
  finish(run: string): void {
    this.#runs.get(run)?.finished.reach();
  }

  #runOf(name: string) {
    const known = this.#runs.get(name);
    const run = known ?? { begun: new Moment(), finished: new Moment() };
    if (known === undefined) this.#runs.set(name, run);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > MOST && oldest !== undefined) this.#runs.delete(oldest);
    return run;
  }
}

async function withinLongest(moment: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const late = pause(LONGEST, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([moment, late]);
  timer.abort();
}

/** Those of this process. */
export const slowRequests: SlowRequests = new SlowRequests();
