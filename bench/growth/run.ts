// `npm run bench -- growth`: how many bytes go to the store when one key of a session changes, by
// the size of the session, and what a whole session takes when it is made.
import { startProxy } from "../../tests/support/proxy.ts";
import { versionsOf } from "../lib/load.ts";
import type { Pairs } from "../lib/data.ts";
import { startService } from "../lib/services.ts";
import { loadSubjects, type RowScheme, type Subject } from "../lib/subject.ts";

/** Sessions by their size as JSON. */
const sizes = { "1 KB": 1_000, "100 KB": 100_000, "1 MB": 1_000_000 } as const;
/** One of them. */
type GrowthSize = keyof typeof sizes;

interface GrowthRow {
  readonly subject: string;
  readonly kind: string;
  readonly versions: string;
  readonly note: string;
  readonly size: GrowthSize;
  /** Bytes to the store for a session that is made; absent: the store refuses one so large. */
  readonly create?: number;
  /** For one changed key of 4 + 43 bytes. */
  readonly change?: number;
}

/** The result. */
export interface GrowthResult {
  readonly rows: readonly GrowthRow[];
}

/** Of several equal changes, so that what a connection says once isn't counted. */
const CHANGES = 8;

/** A session of about so many bytes of JSON: "csrf" and values of up to 1,000 characters. */
function pairsOf(bytes: number): Pairs {
  const pairs: Record<string, string> = { name: "alice", csrf: "0".repeat(43) };
  // What JSON needs around a key of nine characters and its value.
  const frame = 15;
  const length = Math.min(1000, bytes / 10) - frame;
  const count = Math.floor((bytes - JSON.stringify(pairs).length) / (length + frame));
  for (let index = 0; index < count; index++) {
    pairs[`item_${String(index).padStart(4, "0")}`] = "x".repeat(length);
  }
  return pairs;
}

/** What the last equal changes took each; they must agree to a few bytes. */
async function measure(scheme: RowScheme, bytes: () => number, size: number, id: string) {
  // What a connection sends once, such as the text of a script, isn't the session's.
  await scheme.create(`${id.slice(0, -1)}A`, { csrf: "" });
  const start = bytes();
  await scheme.create(id, pairsOf(size));
  const create = bytes() - start;
  const change = (index: number): unknown => scheme.change(id, String(index).padStart(43, "0"));
  await change(0);
  const before = bytes();
  for (let index = 1; index <= CHANGES; index++) await change(index);
  return { create, change: Math.round((bytes() - before) / CHANGES) };
}

async function measureStore(subject: Subject, size: GrowthSize): Promise<GrowthRow> {
  const { growth, kind, name, note = "", packages } = subject;
  if (growth === undefined) throw new Error(`${name} is no store`);
  const row = { subject: name, kind, versions: versionsOf(packages), note, size };
  const service = growth.service === undefined ? undefined : await startService(growth.service);
  const wire = service === undefined ? undefined : await startProxy(service.port);
  let sent = 0;
  const sentSoFar = (): number => (sent += wire?.take().sent ?? 0);
  try {
    const url = (service?.url ?? "").replace(`:${service?.port}`, `:${wire?.port}`);
    const scheme = await growth.open(wire?.port ?? 0, url);
    const bytes = scheme.bytes ?? sentSoFar;
    try {
      const id = "AAECAwQFBgcICQoLDA0ODw";
      return { ...row, ...(await measure(scheme, bytes, sizes[size], id)) };
    } finally {
      await scheme.close?.();
    }
  } catch (error) {
    // A store that says that this is too much for it says so in a limit error.
    if ((error as { name?: string }).name !== "LimitError") throw error;
    return row;
  } finally {
    await wire?.close();
    await service?.close();
  }
}

/** Runs it. */
export async function runGrowth(): Promise<GrowthResult> {
  const rows: GrowthRow[] = [];
  for (const subject of (await loadSubjects()).values()) {
    if (subject.growth === undefined) continue;
    for (const size of Object.keys(sizes) as GrowthSize[]) {
      rows.push(await measureStore(subject, size));
    }
  }
  return { rows };
}

/** A line for each row, for the terminal. */
export function printGrowth({ rows }: GrowthResult): void {
  console.log("\nbytes to the store");
  for (const { change, create, size, subject } of rows) {
    console.log(
      `  ${subject.padEnd(32)}${size.padEnd(8)}create ${String(create ?? "refused").padStart(9)}` +
        `  one changed key ${String(change ?? "-").padStart(9)}`,
    );
  }
}
