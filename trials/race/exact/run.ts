// All races for one key on one store, with its server and its processes.
import { SeededRandom } from "../../fuzz/random.ts";
import { subjects } from "../subjects.ts";
import { openCourse } from "./course.ts";
import {
  adds,
  againstBarriers,
  increments,
  type Outcome,
  type Sizes,
  takes,
  updates,
} from "./rounds.ts";

/** Runs them one after the other; gives what they came to. */
export async function runExactly(
  store: string,
  processes: number,
  sizes: Sizes,
  seed: number,
  onOutcome: (outcome: Outcome) => void = () => undefined,
): Promise<Outcome[]> {
  const subject = subjects[store];
  if (subject === undefined) throw new Error(`there is no store ${store}`);
  const { address, close } = await subject.start();
  try {
    const course = await openCourse({ subject: store, address, processes });
    try {
      const outcomes: Outcome[] = [];
      for (const race of [increments, updates, adds, takes, againstBarriers]) {
        const outcome = await race(course, sizes, new SeededRandom(seed));
        outcomes.push(outcome);
        onOutcome(outcome);
      }
      return outcomes;
    } finally {
      await course.close();
    }
  } finally {
    await close();
  }
}
