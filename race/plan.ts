// What a request of a race is to do, drawn from a seed. A plan names keys and no values: those are
// made from the plan's own id. It knows no server and no store.
import type { SeededRandom } from "../fuzz/random.ts";

/** The keys that are written one by one. */
const KEYS = ["a", "b", "c", "d"] as const;

/** What a request does. */
export type PlanKind = "create" | "read" | "write" | "pair" | "clear" | "regenerate" | "destroy";

/** One request's orders to its server. */
export interface Plan {
  /** Unique in the race; the marks of its saves begin with it. */
  readonly id: number;
  readonly kind: PlanKind;
  readonly set: readonly string[];
  readonly del: readonly string[];
  /** What a `regenerate` sets afterwards, in a save of its own, as a login does. */
  readonly after: readonly string[];
  /** Whether a `regenerate` also says whose session it is. */
  readonly binds: boolean;
  /** How long it dawdles between what it loads and what it saves, in milliseconds. */
  readonly holdMs: number;
  /** Whether it saves by `commit()`; else the end of the response does. */
  readonly commits: boolean;
}

/** How many of a hundred requests do what. */
const shares: readonly (readonly [PlanKind, number])[] = [
  ["read", 35],
  ["write", 44],
  ["pair", 9],
  ["clear", 5],
  ["regenerate", 6],
  ["destroy", 1],
];

/** The next request of a client. */
export function drawPlan(random: SeededRandom, id: number, kind: PlanKind = draw(random)): Plan {
  const some = (share: number): string[] => KEYS.filter(() => random.below(100) < share);
  const one = KEYS[random.below(KEYS.length)] ?? KEYS[0];
  const base = { id, kind, set: [], del: [], after: [], binds: random.below(2) === 0 };
  const pace = { holdMs: drawHold(random), commits: random.below(2) === 0 };
  switch (kind) {
    case "create":
      return { ...base, ...pace, set: [one] };
    case "write": {
      const set = some(40);
      const del = KEYS.filter((key) => !set.includes(key) && random.below(100) < 15);
      return { ...base, ...pace, set: set.length + del.length === 0 ? [one] : set, del };
    }
    case "pair":
      return random.below(4) === 0
        ? { ...base, ...pace, del: ["p", "q"] }
        : { ...base, ...pace, set: ["p", "q"] };
    case "clear":
    case "regenerate":
      return { ...base, ...pace, set: some(25), after: kind === "clear" ? [] : some(25) };
    case "read":
    case "destroy":
  }
  return { ...base, ...pace };
}

function draw(random: SeededRandom): PlanKind {
  let dice = random.below(100);
  for (const [kind, share] of shares) {
    if (dice < share) return kind;
    dice -= share;
  }
  return "read";
}

/** Most are quick; one in eight is slow enough to meet a whole life of the others. */
function drawHold(random: SeededRandom): number {
  return random.below(8) === 0 ? 10 + random.below(40) : random.below(8);
}
