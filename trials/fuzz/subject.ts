// What is fuzzed and how often: a subject makes one hostile input from a seeded source, puts it
// through the library's own way in, and says what came of it.
import type { Session } from "kocha-session";
import { randomBytes } from "#crypto";
import type { SeededRandom } from "./random.ts";

/**
 * What came of an input: a session, none, or what is wrong with it. Both of the first two must
 * happen, or the subject tests nothing.
 */
export type Outcome = "accepted" | "refused" | { readonly fault: string };

/** One hostile input after the other. */
export interface Subject {
  readonly name: string;
  readonly run: (random: SeededRandom) => Promise<Outcome> | Outcome;
}

/** How the inputs of one subject ended. */
export interface Tally {
  accepted: number;
  refused: number;
}

/** Runs `count` inputs over all subjects in turn; throws at the first that is wrong. */
export async function fuzz(
  subjects: readonly Subject[],
  random: SeededRandom,
  count: number,
  tallies: Map<string, Tally> = new Map(),
): Promise<Map<string, Tally>> {
  for (let done = 0; done < count; done++) {
    const subject = subjects[done % subjects.length];
    if (subject === undefined) break;
    let outcome: Outcome;
    try {
      // Each input decides on the next: the sequence is the seed's.
      outcome = await subject.run(random);
    } catch (error) {
      throw new Error(`${subject.name}, input ${done}: it threw`, { cause: error });
    }
    if (typeof outcome === "object")
      throw new Error(`${subject.name}, input ${done}: ${outcome.fault}`);
    const tally = tallies.get(subject.name) ?? { accepted: 0, refused: 0 };
    tally[outcome]++;
    tallies.set(subject.name, tally);
  }
  return tallies;
}

/** A fresh secret in base64. */
export function newKey(): string {
  return Buffer.from(randomBytes(32)).toString("base64");
}

/** Both keys of a cookie store. */
export function newKeys(): { readonly secretKey: string; readonly signingKey: string } {
  return { secretKey: newKey(), signingKey: newKey() };
}

/** A session's data as text that is the same for the same data. */
export function describe(session: Session): string {
  return JSON.stringify([...session].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** What an empty session's data is. */
export const EMPTY = "[]";

/** Why a session is none that the library may give, whoever wrote it; undefined: it may. */
export function findFault(session: Session): string | undefined {
  for (const [key, value] of session) {
    if (typeof key !== "string" || typeof value !== "string") return "it holds what is no string";
  }
  if (({} as Record<string, unknown>)["polluted"] !== undefined)
    return "it reached Object.prototype";
  return undefined;
}

/** Why a session is none that a cookie of ours may give: what was sealed was UTF-8. */
export function findSealedFault(session: Session): string | undefined {
  const isUtf8 = [...session].flat().every((text) => text.isWellFormed());
  return findFault(session) ?? (isUtf8 ? undefined : "it holds a lone surrogate");
}
