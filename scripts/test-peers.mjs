// Prevents a package that can't be installed beside what its users have: installs the packed one
// beside each old framework and driver, imports every entry point there, and tries those that load
// without a server.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const peers = JSON.parse(readFileSync("scripts/old-peers.json", "utf8"));
const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
/** They import their frameworks, which are too large for a peer here: their examples test them. */
const importing = ["next", "tanstack-start", "react-router"].map((name) => `kocha-session/${name}`);
const entries = Object.keys(exports)
  .map((path) => `kocha-session${path.slice(1)}`)
  .filter((name) => !name.endsWith(".json") && !importing.includes(name));
const root = mkdtempSync(join(tmpdir(), "kocha-session-peers-"));
const npm = (folder, ...args) =>
  execFileSync("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    encoding: "utf8",
  });

/** What is run beside a peer besides the imports; it ends with exit code 0 when all is well. */
const trials = {
  "libsql@0.3": `
    import Database from "libsql";
    import { SessionSqliteStore } from "kocha-session/sqlite";
    try {
      new SessionSqliteStore({ client: new Database(":memory:") });
      process.exit(1);
    } catch (error) {
      if (!/libsql 0\\.3 or older/.test(error.message)) throw error;
    }`,
  // Jest's own loader takes ES modules only where it runs on them itself.
  "jest@30": `
    import { execFileSync } from "node:child_process";
    import { writeFileSync } from "node:fs";
    writeFileSync("session.test.mjs", \`
      import { randomBytes } from "node:crypto";
      import { SessionMemoryStore } from "kocha-session";
      import { mintCookie, readCookie } from "kocha-session/testing";
      test("a cookie is minted and read", async () => {
        const signingKey = randomBytes(32).toString("base64");
        const config = { store: new SessionMemoryStore(), signingKey };
        const cookie = await mintCookie(config, { name: "alice" });
        expect((await readCookie(config, cookie)).get("name")).toBe("alice");
      });\`);
    const jest = "node_modules/jest/bin/jest.js";
    const files = ["--testMatch", "**/*.test.mjs"];
    execFileSync(process.execPath, ["--experimental-vm-modules", jest, ...files]);`,
  "fast-check@3 tough-cookie@4": `
    import { SessionMemoryStore } from "kocha-session";
    import { fakeClock, storeLaws } from "kocha-session/testing";
    const clock = fakeClock();
    const makeStore = async () => {
      const store = new SessionMemoryStore({ now: clock.now });
      return { store, close: () => store.close() };
    };
    for (const { applies, run } of await storeLaws(makeStore, { clock, runs: 20 }))
      if (applies === true) await run();`,
};

/** What a package brings along has to stay at the top, as in a project of Nuxt. */
const kept = { "unstorage@1.17.6": "h3@1" };

/** Fails where the installation has moved a version aside. */
function mustStay(folder, one) {
  const at = one.lastIndexOf("@");
  const [name, version] = [one.slice(0, at), one.slice(at + 1)];
  const file = join(folder, "node_modules", name, "package.json");
  const found = JSON.parse(readFileSync(file, "utf8")).version;
  if (found !== version && !found.startsWith(`${version}.`)) throw new Error(`${name} is ${found}`);
}

function tryBeside(tarball, peer) {
  const folder = join(root, peer.replaceAll(/\W/g, "-"));
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  npm(folder, "install", "--ignore-scripts", tarball, ...peer.split(" "));
  for (const one of (kept[peer] ?? peer).split(" ")) mustStay(folder, one);
  const imports = entries.map((name) => `await import(${JSON.stringify(name)});`).join("");
  for (const program of [imports, trials[peer]]) {
    if (program === undefined) continue;
    execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit"],
    });
  }
}

let failed = 0;
try {
  const packed = npm(".", "pack", "--silent", "--ignore-scripts", "--pack-destination", root);
  for (const peer of new Set([...peers, ...Object.keys(trials), ...Object.keys(kept)])) {
    try {
      tryBeside(join(root, packed.trim()), peer);
      console.log(`beside ${peer}: installed, and every entry point loads`);
    } catch (error) {
      failed++;
      console.error(`beside ${peer}: ${error.message}\n${error.stdout ?? ""}`);
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
