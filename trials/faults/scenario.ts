// One scenario of a fault run: users at work, a fault in the middle, the fault's end, and the audit.
import { addUp, type Audit, type Habit, type Sight, User } from "./ledger.ts";
import type { StoreAddress } from "./address.ts";
import type { AppOrders } from "./app.ts";
import { type Apps, startApps } from "./apps.ts";

/** The losses of acknowledged changes that a database allows by its own documentation. */
type Allowance = "lost writes" | "lost sessions" | "logouts undone";

/** A running database, with its fault. */
export interface Stage {
  readonly address: StoreAddress;
  /** Causes the fault. */
  readonly inject: (apps: Apps) => Promise<void> | void;
  /** Ends it; absent: it ends by itself, as a failover does. */
  readonly lift?: () => Promise<void> | void;
  readonly close: () => Promise<void>;
}

/** One row of the table. */
export interface Scenario {
  readonly engine: string;
  readonly setting: string;
  readonly fault: string;
  readonly onStoreError?: AppOrders["onStoreError"];
  /** The fault's duration in milliseconds. Default 1500. */
  readonly holdMs?: number;
  readonly allows: readonly Allowance[];
  /** The reason of the allowance. */
  readonly because: string;
  readonly start: () => Promise<Stage>;
}

/** The outcome of a scenario. */
export interface Outcome {
  readonly audit: Audit;
  /** The users' answers from the fault on, by kind. */
  readonly seen: ReadonlyMap<Sight["kind"], number>;
  /** From the end of the fault to the last failure, in milliseconds; 0: none. */
  readonly downMs: number;
  /** Breaches of the promises. */
  readonly breaches: readonly string[];
}

const APPS = 2;
const habits: readonly Habit[] = [
  ...Array.from({ length: 6 }, () => "writer" as const),
  ...Array.from({ length: 3 }, () => "leaver" as const),
  ...Array.from({ length: 3 }, () => "rotator" as const),
];
/** The time before the fault, and after the recovery, in milliseconds. */
const CALM = 1000;
/** The longest recovery of a store that counts as survived, in milliseconds. */
const RECOVERY = 30_000;

/** Plays a scenario. */
export async function play(scenario: Scenario): Promise<Outcome> {
  const stage = await scenario.start();
  try {
    const apps = await startApps(APPS, stage.address, scenario.onStoreError ?? "fail");
    try {
      return await playOn(scenario, stage, apps);
    } finally {
      await apps.close();
    }
  } finally {
    await stage.close();
  }
}

async function playOn(scenario: Scenario, stage: Stage, apps: Apps): Promise<Outcome> {
  const now = (): number => performance.now();
  const users = habits.map((habit, index) => new User(`user${index}`, habit, apps, now));
  const lives = users.map((user) => user.live());
  await sleep(CALM);
  const faultAt = now();
  await stage.inject(apps);
  await sleep(scenario.holdMs ?? 1500);
  if (stage.lift !== undefined) await stage.lift();
  const liftedAt = stage.lift === undefined ? faultAt : now();
  await recovered(users, now);
  await sleep(CALM);
  for (const user of users) user.stop();
  await Promise.all(lives);
  const audits: Audit[] = [];
  for (const user of users) audits.push(await user.audit());
  const audit = addUp(audits);
  const sights = users.flatMap((user) => user.sights).filter(({ atMs }) => atMs >= faultAt);
  const lastFailure = Math.max(liftedAt, ...sights.filter(isFailure).map(({ atMs }) => atMs));
  return {
    audit,
    seen: countBy(sights.map(({ kind }) => kind)),
    downMs: Math.round(lastFailure - liftedAt),
    breaches: breachesOf(audit, scenario.allows),
  };
}

/** Waits until every user has been served after the fault. */
async function recovered(users: readonly User[], now: () => number): Promise<void> {
  const from = now();
  const isServed = ({ sights }: User): boolean =>
    sights.some((sight) => sight.atMs > from && !isFailure(sight));
  while (!users.every(isServed)) {
    if (now() > from + RECOVERY) throw new Error(`it does not serve again after ${RECOVERY} ms`);
    await sleep(20);
  }
}

function isFailure({ kind }: Sight): boolean {
  return kind !== "done" && kind !== "gone";
}

function breachesOf(audit: Audit, allows: readonly Allowance[]): string[] {
  const lost = audit.lostWrites > 0 && !allows.includes("lost writes");
  const gone = audit.lostSessions > 0 && !allows.includes("lost sessions");
  const isUndone = allows.includes("logouts undone");
  const back = audit.resurrected > 0 && !isUndone;
  const old = audit.oldCredentials > 0 && !isUndone;
  return [
    ...(lost ? [`${audit.lostWrites} acknowledged writes are lost`] : []),
    ...(gone ? [`${audit.lostSessions} sessions are lost`] : []),
    ...(back ? [`${audit.resurrected} sessions came back after their logout`] : []),
    ...(old ? [`${audit.oldCredentials} old credentials read again`] : []),
    ...(audit.torn > 0 ? [`${audit.torn} sessions hold half a save`] : []),
    ...(audit.falseLogouts > 0 ? [`${audit.falseLogouts} outages looked like a logout`] : []),
    ...(audit.cookiesTouched > 0
      ? [`${audit.cookiesTouched} cookies were deleted or replaced`]
      : []),
  ];
}

function countBy<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
