// The plan of a race's request, drawn from a seed. It names keys without values, which are made from the
// plan's id. It knows no server and no store.
import type { SeededRandom } from "../fuzz/random.ts";
import { ENTRY, TOKEN } from "./history.ts";

/** The keys that are written one by one. */
const KEYS = ["a", "b", "c", "d"] as const;
/** The most entries of the collection. */
const ENTRIES = 6;

/** Options of all draws of a race. */
export interface PlanMix {
  /** The number of subjects to bind sessions to. */
  readonly people: number;
  /** The number of sign-outs in a thousand requests. */
  readonly signOuts: number;
}

/** The operation of a request. */
export type PlanKind =
  | "create"
  | "read"
  | "write"
  | "pair"
  | "clear"
  | "regenerate"
  | "bind"
  | "lifetime"
  | "increment"
  | "add"
  | "token"
  | "take"
  | "destroy"
  | "signout";

/** One request's orders to its server. */
export interface Plan {
  /** Unique in the race; the marks of its saves begin with it. */
  readonly id: number;
  readonly kind: PlanKind;
  readonly set: readonly string[];
  readonly del: readonly string[];
  /** The keys that a `regenerate` sets afterwards, in a save of its own, as a login does. */
  readonly after: readonly string[];
  /** The subject that a `regenerate` or a `bind` binds, or that a `signout` signs out. */
  readonly subject: string | undefined;
  /** True if a `signout` keeps its own session. */
  readonly stays: boolean;
  /** The pause between load and save, in milliseconds. */
  readonly holdMs: number;
  /** True if it saves by `commit()`, else at the end of the response. */
  readonly commits: boolean;
}

/** The number of each operation in a thousand requests; sign-outs come first. */
const shares: readonly (readonly [PlanKind, number])[] = [
  ["read", 260],
  ["write", 305],
  ["pair", 85],
  ["clear", 50],
  ["regenerate", 60],
  ["bind", 20],
  ["lifetime", 25],
  ["increment", 50],
  ["add", 25],
  ["token", 45],
  ["take", 65],
  ["destroy", 10],
];

/** The next request of a client. */
export function drawPlan(
  random: SeededRandom,
  { people, signOuts }: PlanMix,
  id: number,
  kind: PlanKind = draw(random, signOuts),
): Plan {
  const some = (share: number): string[] => KEYS.filter(() => random.below(100) < share);
  const one = KEYS[random.below(KEYS.length)] ?? KEYS[0];
  const subject = `user${random.below(people)}`;
  const base = { id, kind, set: [], del: [], after: [], subject: undefined, stays: false };
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
      return { ...base, ...pace, set: some(25) };
    case "regenerate": {
      const said = random.below(2) === 0 ? subject : undefined;
      return { ...base, ...pace, set: some(25), after: some(25), subject: said };
    }
    case "bind":
      return { ...base, ...pace, set: some(25), subject };
    case "lifetime":
      return { ...base, ...pace, set: [one] };
    case "add":
      return { ...base, ...pace, set: [`${ENTRY}${random.below(ENTRIES)}`] };
    case "token":
      return { ...base, ...pace, set: [TOKEN] };
    case "signout":
      return { ...base, ...pace, subject, stays: random.below(2) === 0 };
    case "read":
    case "destroy":
    case "increment":
    case "take":
  }
  return { ...base, ...pace };
}

function draw(random: SeededRandom, signOuts: number): PlanKind {
  if (random.below(1000) < signOuts) return "signout";
  let dice = random.below(1000);
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
