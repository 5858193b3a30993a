// A schedule of the model check, drawn by fast-check: requests of one browser to several servers, with the
// time of each commit and the fate of each response.
import fc from "fast-check";

/** A request's operation on its session. */
type Step =
  | "set"
  | "set two"
  | "delete"
  | "renew"
  | "clear"
  | "regenerate"
  | "bind"
  | "shorten"
  | "logout"
  | "login";

/** The fate of a response; `torn`: only the deletions among its cookies arrive, or only the first ones. */
type Fate = "arrives" | "lost" | "torn: deletions alone" | "torn: cut off";

/** One request; all times are virtual milliseconds. */
export interface Visit {
  readonly at: number;
  /** From the request's cookies to its commit. */
  readonly takes: number;
  /** From its commit to the browser. */
  readonly travels: number;
  readonly server: number;
  readonly step: Step;
  readonly key: number;
  readonly fate: Fate;
  /** The place of the cut in a torn response. */
  readonly cut: number;
}

/** The browser drops one of its cookies. */
interface Eviction {
  readonly at: number;
  readonly pick: number;
}

/** A whole schedule. */
export interface Schedule {
  readonly visits: readonly Visit[];
  readonly evictions: readonly Eviction[];
  /** Each server's clock minus the browser's, in milliseconds. */
  readonly skews: readonly number[];
  /** Picks the subsets of parts that a client sends. */
  readonly subsets: readonly number[];
  /** The idle timeout in milliseconds. */
  readonly ttl: number;
  /** Bytes of padding in each value. */
  readonly padding: number;
}

/** A family of schedules, with its requirements. */
export interface Family {
  readonly name: string;
  /** True if every response arrives within the marks' life less the skew. */
  readonly isPrompt: boolean;
  /** True if marks may be dropped: the schedule is longer than their life. */
  readonly isLong: boolean;
  readonly schedules: fc.Arbitrary<Schedule>;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const SERVERS = 3;
const VISITS = 20;
/** The keys that writes share. */
export const KEYS = ["a", "b", "c", "d", "e", "f"] as const;

interface Shape {
  /** The longest time between two requests. */
  readonly gap: number;
  /** The number of requests within a second of the one before, for each later one. */
  readonly bursts?: number;
  readonly takes: number;
  readonly travels: number;
  /** The longest time of a quarter of the responses. */
  readonly stragglers?: number;
  readonly skew: number;
  readonly steps: readonly Step[];
  readonly fates?: readonly Fate[];
  readonly evictions?: number;
  readonly ttl?: number;
  readonly visits?: number;
  readonly padding?: number;
}

const writes: readonly Step[] = ["set", "set", "set", "set two", "delete", "renew"];
const barriers: readonly Step[] = ["clear", "regenerate", "bind", "shorten"];
const all: readonly Step[] = [...writes, ...writes, ...barriers, "logout", "login"];

function schedules(shape: Shape): fc.Arbitrary<Schedule> {
  const upTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
  const { gap, takes, travels, skew, steps, fates = ["arrives"], evictions = 0 } = shape;
  return fc.record({
    visits: fc
      .array(
        fc.record({
          gap: fc.oneof(
            { arbitrary: upTo(SECOND), weight: shape.bursts ?? 1 },
            { arbitrary: upTo(gap), weight: 1 },
          ),
          takes: upTo(takes),
          travels: fc.oneof(
            { arbitrary: upTo(travels), weight: 3 },
            { arbitrary: upTo(shape.stragglers ?? travels), weight: 1 },
          ),
          server: upTo(SERVERS - 1),
          step: fc.constantFrom(...steps),
          key: upTo(KEYS.length - 1),
          fate: fc.constantFrom(...fates),
          cut: upTo(4),
        }),
        { minLength: 2, maxLength: shape.visits ?? VISITS, size: "max" },
      )
      .map((drawn) => {
        let at = 0;
        return drawn.map(({ gap: wait, ...visit }) => ({ ...visit, at: (at += wait) }));
      }),
    evictions: fc.array(fc.record({ at: upTo(gap * VISITS), pick: upTo(63) }), {
      maxLength: evictions,
    }),
    skews: fc.array(fc.integer({ min: -skew, max: skew }), {
      minLength: SERVERS,
      maxLength: SERVERS,
    }),
    subsets: fc.array(fc.nat(), { minLength: 2, maxLength: 2 }),
    ttl: fc.constant(shape.ttl ?? 24 * HOUR),
    padding: fc.constant(shape.padding ?? 0),
  });
}

const short = { gap: 4 * SECOND, takes: 10 * SECOND, travels: 10 * SECOND, skew: 5 * SECOND };
/** Hours long: requests of half an hour, responses of minutes, dropped marks. */
const long = { gap: 15 * MINUTE, takes: 30 * MINUTE, travels: 5 * MINUTE, skew: 2 * MINUTE };
/** Most responses come at once, a few only after the marks that they don't know were dropped. */
const straggling = { takes: SECOND, travels: SECOND, stragglers: HOUR, skew: 0, bursts: 0 };
const lossy: readonly Fate[] = [
  "arrives",
  "arrives",
  "arrives",
  "lost",
  "torn: deletions alone",
  "torn: cut off",
];

/** The families; each gets its share of the schedules. */
export const families: readonly Family[] = [
  {
    name: "writes that race",
    isPrompt: true,
    isLong: false,
    schedules: schedules({ ...short, steps: writes }),
  },
  {
    name: "clocks that differ by minutes",
    isPrompt: true,
    isLong: false,
    schedules: schedules({ ...short, skew: 2 * MINUTE, steps: all }),
  },
  {
    name: "everything at once",
    isPrompt: true,
    isLong: false,
    schedules: schedules({ ...short, steps: all }),
  },
  {
    name: "large sessions, whose parts collapse",
    isPrompt: true,
    isLong: false,
    schedules: schedules({ ...short, steps: [...writes, ...writes, "clear"], padding: 250 }),
  },
  {
    name: "responses lost and torn",
    isPrompt: true,
    isLong: false,
    schedules: schedules({ ...short, steps: all, fates: lossy }),
  },
  {
    name: "cookies evicted",
    isPrompt: true,
    isLong: false,
    schedules: schedules({ ...short, steps: all, fates: lossy, evictions: 4 }),
  },
  {
    name: "hours, with marks and tombstones that end",
    isPrompt: true,
    isLong: true,
    schedules: schedules({ ...long, steps: all, fates: lossy, ttl: HOUR }),
  },
  {
    name: "hours of deletions",
    isPrompt: true,
    isLong: true,
    schedules: schedules({ ...long, steps: ["set", "set", "delete", "delete", "set two"] }),
  },
  {
    name: "responses later than marks live",
    isPrompt: false,
    isLong: true,
    schedules: schedules({
      ...long,
      ...straggling,
      steps: ["set", "set", "set", "delete", "delete", "delete", "clear"],
    }),
  },
  {
    name: "requests that take longer than tombstones linger",
    isPrompt: false,
    isLong: true,
    schedules: schedules({
      ...long,
      ...straggling,
      takes: 4 * HOUR,
      stragglers: SECOND,
      steps: ["set", "set", "set", "renew", "logout"],
      ttl: 6 * HOUR,
      visits: 6,
    }),
  },
];
