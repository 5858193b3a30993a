// The conformance kit on whatever runtime runs this, over its own servers; the last line of its
// output is JSON of what held and what didn't.
import { hostLaws, runCases } from "kocha-session/testing";
import { cryptoFile } from "./crypto-file.mjs";
import { openUpgrade } from "./upgrade.mjs";
import { hosts, runtime } from "./servers.mjs";

const results = {};
for (const [name, makeServer] of Object.entries(hosts)) {
  const cases = hostLaws(makeServer, { name: `${name} on ${runtime}` });
  const ran = (await runCases(cases)).filter((one) => one.case.applies === true);
  const failures = ran.filter(({ error }) => error !== undefined);
  results[name] = {
    passed: ran.length - failures.length,
    failed: failures.map(({ error }) => String(error?.message ?? error)),
  };
}
try {
  await openUpgrade();
  results.upgrade = { passed: 1, failed: [] };
} catch (error) {
  results.upgrade = { passed: 0, failed: [String(error?.message ?? error)] };
}
console.log(JSON.stringify({ runtime, crypto: await cryptoFile(), results }));
// What a runtime keeps open after its servers are closed is its own affair.
if (globalThis.Deno) globalThis.Deno.exit(0);
globalThis.process.exit(0);
