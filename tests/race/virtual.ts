// A race without servers: the engine and a store in this process, in a time that passes only when
// everybody waits. The same seed gives the same history, to the last tick.
import { SessionMiddleware, type SessionStore } from "kocha-session";
import { type RaceOptions, type RaceTrack, race } from "../../trials/race/driver.ts";
import type { History } from "../../trials/race/history.ts";
import { inCourse, lookAt, observers, perform } from "../../trials/race/kocha-app.ts";
import { Notes } from "../../trials/race/notes.ts";
import { SeededRandom } from "../../trials/fuzz/random.ts";
import { freshKey } from "../support/keys.ts";

/** A step that lost to others pauses in real time; a race in which nothing else happens for longer is stuck. In milliseconds. */
const PATIENCE = 5000;

/** A clock whose sleepers wake one after the other, as soon as nobody is awake. */
export class VirtualTime {
  #now = Date.UTC(2026, 0, 1);
  #order = 0;
  readonly #sleepers: { readonly at: number; readonly order: number; readonly wake: () => void }[] =
    [];

  readonly now = (): number => this.#now;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => {
      this.#sleepers.push({ at: this.#now + ms, order: this.#order++, wake });
    });

  /** Lets time pass until `course` has come to its end. */
  async run<T>(course: Promise<T>): Promise<T> {
    let isDone = false;
    let idle: number | undefined;
    const done = course.finally(() => (isDone = true));
    for (;;) {
      // Every promise that can settle without time has settled after a turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      if (isDone) return done;
      this.#sleepers.sort((one, other) => one.at - other.at || one.order - other.order);
      const next = this.#sleepers.shift();
      if (next === undefined) {
        idle ??= Date.now();
        if (Date.now() - idle > PATIENCE) {
          throw new Error("everybody waits for something else than time");
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      idle = undefined;
      this.#now = next.at;
      next.wake();
    }
  }
}

/** A store whose every step takes some of the time. */
export type SlowStore = (time: VirtualTime, random: SeededRandom) => SessionStore;

/** A small race on a store, in virtual time. */
export async function raceVirtually(
  makeStore: SlowStore,
  options: Partial<RaceOptions> = {},
): Promise<History> {
  const time = new VirtualTime();
  const all: RaceOptions = {
    seed: 1,
    operations: 1500,
    sessions: 4,
    clientsEach: 4,
    idleMs: 3000,
    absoluteMs: 20_000,
    slowOneIn: 3,
    leftAloneOneIn: 3,
    people: 3,
    signOuts: 15,
    ...options,
  };
  const store = makeStore(time, new SeededRandom(all.seed + 1));
  const signingKey = freshKey();
  // Two processes, as it were: within one an engine lets exact steps wait for each other.
  const engines = [1, 2].map(
    () =>
      new SessionMiddleware({
        store,
        signingKey,
        sessionExpires: all.idleMs / 1000,
        absoluteExpires: all.absoluteMs / 1000,
        storeTimeout: 60,
        now: time.now,
        on: observers,
      }),
  );
  const track: RaceTrack = {
    now: time.now,
    sleep: time.sleep,
    send: async (plan, cookie, server) => {
      const engine = engines[server % 2];
      if (engine === undefined) throw new Error("there are two engines");
      const notes = new Notes(plan.id);
      await time.sleep(1);
      const course = inCourse(notes, async () => {
        const session = await engine.open(cookie);
        const found = lookAt(session);
        await perform(session, plan, notes, { store, sleep: time.sleep });
        return { found, effects: await engine.commit(session) };
      });
      try {
        const { found, effects } = await course;
        await time.sleep(1);
        const sent = effects.setCookie[0]?.split(";", 1)[0];
        const answer = { found, saves: notes.saves, signOut: notes.signOut };
        return { answer, cookie: sent?.endsWith("=") ? "" : sent };
      } catch {
        return { answer: undefined, cookie: undefined };
      }
    },
  };
  return time.run(race(track, all));
}
