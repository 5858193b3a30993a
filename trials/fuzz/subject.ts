// A fuzzed subject: makes one hostile input from a seeded source, passes it to the library, and classifies
// the outcome.
import type { Session } from "kocha-session";
import { randomBytes } from "#crypto";
import type { SeededRandom } from "./random.ts";

/**
 * The outcome of an input: a session, none, or the description of a fault. Both of the first two must occur,
 * or the subject tests nothing.
 */
export type Outcome = "accepted" | "refused" | { readonly fault: string };

/** A source of hostile inputs. */
export interface Subject {
  readonly name: string;
  readonly run: (random: SeededRandom) => Promise<Outcome> | Outcome;
}

/** The outcomes of one subject's inputs. */
export interface Tally {
  accepted: number;
  refused: number;
}

/** Runs `count` inputs over all subjects in turn; throws at the first fault. */
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
      // Each input determines the next: the sequence depends only on the seed.
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

/** Both secrets of a cookie store. */
export function newKeys(): { readonly secretKey: string; readonly signingKey: string } {
  return { secretKey: newKey(), signingKey: newKey() };
}

/** A session's data as text, equal for equal data. */
export function describe(session: Session): string {
  return JSON.stringify([...session].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** The text of an empty session's data. */
export const EMPTY = "[]";

/** The reason that the library may not give this session, whoever wrote it; undefined: it may. */
export function findFault(session: Session): string | undefined {
  for (const [key, value] of session) {
    if (typeof key !== "string" || typeof value !== "string") return "it holds what is no string";
  }
  if (({} as Record<string, unknown>)["polluted"] !== undefined)
    return "it reached Object.prototype";
  return undefined;
}

/** The reason that no cookie of ours may give this session: all sealed texts were UTF-8. */
export function findSealedFault(session: Session): string | undefined {
  const isUtf8 = [...session].flat().every((text) => text.isWellFormed());
  return findFault(session) ?? (isUtf8 ? undefined : "it holds a lone surrogate");
}
