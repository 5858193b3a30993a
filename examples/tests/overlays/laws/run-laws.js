// Runs the laws of the conformance kit on a build, in a process of the build's own: prints how many ran,
// and the failures. With the arguments "device", a module and its argument, that module's scenes instead.

/**
 * `testing` is the build's own copy of the kit, and `deviceBinding` that of its own copy of the library, where
 * it has one in it: two copies don't take each other's sessions.
 */
export async function runLaws({ hostLaws }, makeServer, deviceBinding) {
  const [what, module, argument] = process.argv.slice(2);
  if (what === "device") {
    const { runScenes } = await import(module);
    await runScenes(makeServer, JSON.parse(argument), deviceBinding);
    process.exit(0);
  }
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

/**
 * Where a build that has the probe below /laws has a path of a case: the endpoint of device-bound sessions
 * and what is below /own belong to the build itself.
 */
export function probed(url) {
  if (url === "/session/device") return url;
  return url.startsWith("/own/") ? url.slice("/own".length) : `/laws${url}`;
}
