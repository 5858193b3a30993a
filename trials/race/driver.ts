// The clients of a race: they share sessions, as the tabs of browsers do, send plans drawn from the seed, and
// record every request with its start and end by one clock. It knows no store.
import { SeededRandom } from "../fuzz/random.ts";
import { COUNTER, type History, type RaceRequest, type Save, type SignOut } from "./history.ts";
import { lostSaves } from "./lost.ts";
import type { Answer, SaveNote } from "./notes.ts";
import { drawPlan, type Plan, type PlanKind } from "./plan.ts";
import { markOf } from "./values.ts";

/** A response: the notes, and the cookie that it set, "name=value". */
export interface Reply {
  /** undefined: the request failed, and its effect is unknown. */
  readonly answer: Answer | undefined;
  /** undefined: none was set; "": it was expired. */
  readonly cookie: string | undefined;
}

/** The servers of a race, with their clock. */
export interface RaceTrack {
  /** Sends a plan with a Cookie header ("": none) to the server of this number, modulo their number. */
  readonly send: (plan: Plan, cookie: string, server: number) => Promise<Reply>;
  readonly sleep: (ms: number) => Promise<void>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** The size of a race. */
export interface RaceOptions {
  readonly seed: number;
  /** The approximate number of requests: sessions that have begun are brought to their end. */
  readonly operations: number;
  /** The number of concurrent sessions. */
  readonly sessions: number;
  /** The number of clients that share each session. */
  readonly clientsEach: number;
  readonly idleMs: number;
  readonly absoluteMs: number;
  /** One in so many sessions is slow: its clients pause, and see it renewed. Default 20. */
  readonly slowOneIn?: number;
  /** After one in so many sessions another is left alone until it expires. Default 60. */
  readonly leftAloneOneIn?: number;
  /** The number of subjects. Default 8. */
  readonly people?: number;
  /** The number of sign-outs of all a subject's sessions, of a thousand requests. Default 5. */
  readonly signOuts?: number;
  /** The most requests of a session before it is destroyed. Default 180. */
  readonly longestLife?: number;
}

/** A session as its clients know it. */
interface Shared {
  readonly id: number;
  /** Its credentials by generation, from 1: [0] is unused. */
  readonly cookies: string[];
  /** True if its clients pause between their requests. */
  readonly isSlow: boolean;
  /** The number of requests left before it is destroyed. */
  left: number;
  /** The number of successive requests with its newest credential that found nothing. */
  misses: number;
  isOver: boolean;
}

const SLOW_ONE_IN = 20;
const LEFT_ALONE_ONE_IN = 60;
const LONGEST_LIFE = 180;
const PEOPLE = 8;
const SIGN_OUTS = 5;
/** A regenerate under way hides a session for a moment; after so many misses it is gone. */
const MISSES = 8;
/** The last tries of each client with an ended session. */
const AFTERLIFE: readonly PlanKind[] = ["read", "write", "read"];

/** Runs a race to its end and gives its history. */
export async function race(track: RaceTrack, options: RaceOptions): Promise<History> {
  const driver = new Driver(track, options);
  await driver.run();
  const { idleMs, absoluteMs } = options;
  return { requests: driver.requests, idleMs, absoluteMs };
}

class Driver {
  readonly requests: RaceRequest[] = [];
  readonly #track: RaceTrack;
  readonly #options: RaceOptions;
  readonly #random: SeededRandom;
  /** Our names of sessions, by the servers' names. */
  readonly #ids = new Map<string, number>();
  #ticks = 0;
  #plans = 0;
  #sessions = 0;

  constructor(track: RaceTrack, options: RaceOptions) {
    this.#track = track;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<void> {
    const { sessions } = this.#options;
    await Promise.all(Array.from({ length: sessions }, (_, index) => this.#runSlot(index)));
  }

  /** One session after the other. */
  async #runSlot(slot: number): Promise<void> {
    const { clientsEach, operations, leftAloneOneIn = LEFT_ALONE_ONE_IN } = this.#options;
    while (this.#plans < operations) {
      const shared = await this.#create(slot * clientsEach);
      if (shared === undefined) continue;
      const clients = Array.from({ length: clientsEach }, (_, index) => slot * clientsEach + index);
      await Promise.all(clients.map((client) => this.#live(shared, client)));
      if (this.#random.below(leftAloneOneIn) === 0) await this.#leaveAlone(slot * clientsEach);
    }
  }

  async #create(client: number): Promise<Shared | undefined> {
    const plan = this.#draw("create");
    return (await this.#send(plan, client, undefined)).made;
  }

  /** A client's part in a session's life, with its last tries. */
  async #live(shared: Shared, client: number): Promise<void> {
    while (!shared.isOver) {
      if (shared.isSlow) await this.#track.sleep(this.#random.below(this.#options.idleMs / 3));
      const isLast = --shared.left <= 0;
      const plan = this.#draw(isLast ? "destroy" : undefined);
      await this.#send(plan, client, shared);
    }
    for (const kind of AFTERLIFE) {
      const plan = this.#draw(kind);
      const { made } = await this.#send(plan, client, shared);
      // A write with a dead credential makes a session of its own, which holds only that write.
      if (made === undefined) continue;
      await this.#send(this.#draw("read"), client, made);
    }
  }

  /** A session without requests until its end is gone then. */
  async #leaveAlone(client: number): Promise<void> {
    const shared = await this.#create(client);
    if (shared === undefined) return;
    // Longer than the checker's allowance for differing clocks.
    await this.#track.sleep(this.#options.idleMs + 2000);
    await this.#send(this.#draw("read"), client, shared);
  }

  #draw(kind?: PlanKind): Plan {
    const { people = PEOPLE, signOuts = SIGN_OUTS } = this.#options;
    return drawPlan(this.#random, { people, signOuts }, ++this.#plans, kind);
  }

  async #send(
    plan: Plan,
    client: number,
    shared: Shared | undefined,
  ): Promise<{ readonly made: Shared | undefined }> {
    // One in ten has the credential from before the last regenerate, like a thief or a late tab.
    const newest = (shared?.cookies.length ?? 1) - 1;
    const generation = newest > 1 && this.#random.below(10) === 0 ? newest - 1 : newest;
    const server = this.#random.below(0x7fff_ffff);
    const startMs = this.#track.now();
    const start = ++this.#ticks;
    const { answer, cookie } = await this.#track.send(
      plan,
      shared?.cookies[generation] ?? "",
      server,
    );
    const end = ++this.#ticks;
    const endMs = this.#track.now();
    const saves = (answer?.saves ?? lostSaves(plan)).flatMap((save) =>
      this.#toSave(save, shared?.id),
    );
    const found = answer?.found;
    const isFound = found?.session !== undefined;
    this.requests.push({
      id: plan.id,
      client,
      session: shared?.id,
      generation,
      start,
      end,
      startMs,
      endMs,
      answered: answer !== undefined,
      seen: isFound ? marksOf(found.entries) : undefined,
      count: Number(found?.entries.find(([key]) => key === COUNTER)?.[1] ?? 0),
      expires: found?.expires,
      saves,
      ...this.#toSignOut(plan, answer, shared?.id),
    });
    return { made: this.#settle(saves, cookie, generation, shared, isFound) };
  }

  /** Keeps the response's credential, and notes the session's state. */
  #settle(
    saves: readonly Save[],
    cookie: string | undefined,
    generation: number,
    shared: Shared | undefined,
    isFound: boolean,
  ): Shared | undefined {
    let made: Shared | undefined;
    let isRegenerated = false;
    for (const save of saves) {
      const isSaved = save.outcome === "saved";
      if (save.kind === "create" && isSaved) made = this.#share(save.session, cookie);
      if (save.session !== shared?.id || save.outcome === "refused") continue;
      if (save.kind === "destroy") shared.isOver = true;
      if (save.kind === "regenerate" && isSaved) isRegenerated = true;
    }
    if (shared === undefined) return made;
    if (made === undefined && cookie && isFound) {
      // A renewal sends the same credential again; of two successors a browser has the last.
      shared.cookies[isRegenerated ? generation + 1 : generation] = cookie;
    }
    const isNewest = generation === shared.cookies.length - 1;
    if (isFound) shared.misses = 0;
    else if (isNewest && ++shared.misses >= MISSES) shared.isOver = true;
    return made;
  }

  #share(id: number, cookie: string | undefined): Shared | undefined {
    if (!cookie) return undefined;
    const { slowOneIn = SLOW_ONE_IN, longestLife = LONGEST_LIFE } = this.#options;
    const isSlow = this.#random.below(slowOneIn) === 0;
    const longest = isSlow ? longestLife / 4 : longestLife;
    const left = Math.ceil(longest / 8) + this.#random.below(longest);
    return { id, cookies: ["", cookie], isSlow, left, misses: 0, isOver: false };
  }

  #toSave(note: SaveNote, from: number | undefined): Save[] {
    const { mark, kind, set, del, outcome, subject, count, taken } = note;
    if (outcome === "none") return [];
    const session = note.session === "" ? from : this.#idOf(note.session);
    return session === undefined
      ? []
      : [
          {
            mark,
            kind,
            session,
            set,
            del,
            outcome,
            ...(subject !== undefined && { subject }),
            ...(count !== undefined && { count }),
            ...(taken !== undefined && { taken }),
          },
        ];
  }

  #toSignOut(
    { kind, subject, stays }: Plan,
    answer: Answer | undefined,
    from: number | undefined,
  ): { signOut?: SignOut } {
    if (answer === undefined) {
      if (kind !== "signout" || subject === undefined) return {};
      return { signOut: { subject, except: stays ? from : undefined, listed: undefined } };
    }
    const { signOut } = answer;
    if (signOut === undefined) return {};
    const except = signOut.except === undefined ? undefined : this.#idOf(signOut.except);
    const listed = signOut.listed.map((name) => this.#idOf(name));
    return { signOut: { subject: signOut.subject, except, listed } };
  }

  #idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = ++this.#sessions;
    this.#ids.set(name, id);
    return id;
  }
}

/** The found entries, each value by its author; a counter has many. */
function marksOf(entries: readonly (readonly [string, unknown])[]): Map<string, string> {
  const authored = entries.filter(([key]) => key !== COUNTER);
  return new Map(authored.map(([key, value]) => [key, markOf(key, value)]));
}
