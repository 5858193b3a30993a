// `npm run compat -- --suite <folder>`: express-session's own tests, run on our drop-in in its place. The
// suite is theirs: it is brought, and never kept here. The tests that contradict a law stand below; one that
// fails besides them is a fault.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { repository } from "../tests/support/cli.ts";
import { option, readArguments } from "../trials/lib/arguments.ts";
import { table, writeRun } from "../trials/lib/report.ts";
import { conclude, fault, progress, verdict } from "../trials/lib/verdict.ts";

const VERSION = "1.19.0";
/** What the suite runs with, as its own package.json has it. */
const dependencies = {
  after: "0.8.2",
  "cookie-parser": "1.4.6",
  express: "4.17.3",
  mocha: "10.8.2",
  supertest: "6.3.4",
};

/** The tests that contradict a law, by their full names, and the law. */
const contradicted: Readonly<Record<string, string>> = {
  "session() when session without cookie property in store should pass error from inflate":
    "L12: no row throws; the session gets the configured cookie",
  "session() resave option should default to true": "L5, L6: an unchanged session is never written",
  "session() resave option when true should force save on unmodified session":
    "L5, L6: an unchanged session is never written",
  "session() req.session .save() should prevent end-of-request save":
    "L5, L6: an unchanged session is never written, by save() either",
  "session() req.session .save() should prevent end-of-request save on reloaded session":
    "L5, L6: an unchanged session is never written, by save() either",
  "session() req.session .save() when saveUninitialized is false should prevent end-of-request save":
    "L5, L6: an unchanged session is never written, by save() either",
  "session() saveUninitialized option should pass session save error":
    "L7: the answer to a save that fails is the error, not the page",
  "session() unset option should pass session destroy error":
    "L6, L7: a new session is in no store, and needs no end there; a logout that fails is answered by the error",
  "session() req.session .cookie .* should forward errors setting cookie":
    "L8: the option is refused when the middleware is made",
};

const { suite } = readArguments("compat", {
  suite: option.text(`the folder of express-session's repository at v${VERSION}`),
});
const wanted = "test/session.js";
if (suite === undefined || !existsSync(join(suite, wanted))) {
  console.error(
    `--suite must be the folder of express-session ${VERSION}, with its ${wanted}, which no package has: ` +
      `git clone --branch v${VERSION} the repository that \`npm view express-session repository.url\` names`,
  );
  process.exit(2);
}

const folder = join(repository, ".tmp", "compat");
mkdirSync(folder, { recursive: true });
const manifest = JSON.stringify({ private: true, dependencies });
const installed = join(folder, "package.json");
if (!existsSync(installed) || readFileSync(installed, "utf8") !== manifest) {
  writeFileSync(installed, manifest);
  progress("installing what the suite runs with");
  const flags = ["--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", ["install", ...flags], { cwd: folder, stdio: "inherit" });
}

// Outside of it: what is built takes `#crypto` from our own package.json.
const built = join(repository, ".tmp", "compat-dist");
execFileSync(process.execPath, ["scripts/build.mjs", built, "--programs"], { cwd: repository });
rmSync(join(folder, "test"), { recursive: true, force: true });
cpSync(join(suite, "test"), join(folder, "test"), { recursive: true });
mkdirSync(join(folder, "session"), { recursive: true });
const entry = resolve(built, "compat/express-session/index.js");
writeFileSync(join(folder, "index.js"), `module.exports = require(${JSON.stringify(entry)});\n`);
writeFileSync(join(folder, "session", "cookie.js"), `module.exports = require("../").Cookie;\n`);
mkdirSync(join(folder, "test", "fixtures"), { recursive: true });
// It makes the certificate of the tests over https.
execFileSync("sh", ["test/support/gencert.sh"], { cwd: folder, stdio: "ignore" });

interface Test {
  readonly fullTitle: string;
}
interface Report {
  readonly tests: readonly Test[];
  readonly failures: readonly Test[];
}

progress("running the suite");
const mocha = ["node_modules/mocha/bin/mocha.js", "--require", "test/support/env", "--check-leaks"];
const { stdout } = spawnSync(
  process.execPath,
  [...mocha, "--exit", "--reporter", "json", "test/"],
  {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  },
);
const { tests, failures } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as Report;
const failed = failures.map(({ fullTitle }) => fullTitle);
for (const name of failed) {
  if (contradicted[name] === undefined) fault(`${name} fails, and contradicts no law`);
}
for (const name of Object.keys(contradicted)) {
  if (!failed.includes(name)) fault(`${name} doesn't fail, and is said to contradict a law`);
}
const passed = tests.length - failed.length;
writeRun(
  {
    document: "express-session-suite",
    command: `compat -- --suite <express-session ${VERSION}>`,
    verdict: verdict(),
  },
  `**${passed} of ${tests.length}** tests pass.`,
  table(
    ["a test that fails", "the law that it contradicts"],
    failed.map((name) => [name, contradicted[name] ?? "none"]),
  ),
);
progress(`${passed} of ${tests.length} tests pass`);
conclude("express-session's own suite");
