// Waiting for something that another process does: by looking, with an end that fails the test.

/** Between two looks, in milliseconds. */
const POLL = 20;

/**
 * Looks until it is so.
 * @param what - for the message of the failure.
 * @param withinMs - then it fails.
 */
export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}
