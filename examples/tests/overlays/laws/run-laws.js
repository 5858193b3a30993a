// Runs the laws of the conformance kit on a build, in a process of the build's own: prints how many ran,
// and the failures.

/** `testing` is the build's own copy of the kit: two copies don't take each other's sessions. */
export async function runLaws({ hostLaws }, makeServer) {
  const cases = hostLaws(makeServer).filter(({ applies }) => applies === true);
  const failures = [];
  for (const { id, run } of cases) {
    try {
      await run();
    } catch (error) {
      failures.push(`${id}: ${String(error)}`);
    }
  }
  console.log(JSON.stringify({ ran: cases.length, failures }));
  process.exit(0);
}
