// Runs a statement again after the server undid all of it: a deadlock's victim, or the loser of a
// serialization conflict. A statement that may have been applied is never run again.

/** How often a statement is run again, unless its client says otherwise. */
const RETRIES = 3;
/** The longest first pause in milliseconds, doubled each time; random, or the rivals would meet again. */
const FIRST_PAUSE = 8;

/** The result of `run`, which is run again while its error `isUndone`, at most `retries` times. */
export async function retrying<T>(
  run: () => PromiseLike<T>,
  isUndone: (error: unknown) => boolean,
  retries: number = RETRIES,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the next attempt needs this one's end
      return await run();
    } catch (error) {
      if (attempt === retries || !isUndone(error)) throw error;
    }
    const pause = Math.random() * FIRST_PAUSE * 2 ** attempt;
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
