// The conformance kit on whatever runtime runs this, over its own servers; the last line of its
// output is JSON of what held and what didn't.
import { hostLaws, runCases } from "kocha-session/testing";
import { onBunSqlite } from "./bun-sqlite.mjs";
import { cryptoFile } from "./crypto-file.mjs";
import { openUpgrade } from "./upgrade.mjs";
import { hosts, runtime } from "./servers.mjs";

async function count(cases) {
  const ran = (await runCases(cases)).filter((one) => one.case.applies === true);
  const failures = ran.filter(({ error }) => error !== undefined);
  return {
    passed: ran.length - failures.length,
    failed: failures.map(({ error }) => String(error?.message ?? error)),
  };
}

const results = {};
for (const [name, makeServer] of Object.entries(hosts)) {
  results[name] = await count(hostLaws(makeServer, { name: `${name} on ${runtime}` }));
}
const onSqlite = await onBunSqlite(count);
if (onSqlite !== undefined) results["bun:sqlite"] = onSqlite;
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
