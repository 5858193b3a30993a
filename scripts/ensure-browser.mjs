// Prevents a test run that skips the browser in silence: finds Chromium, installs Debian's where
// that may be done, or fails with the command that installs it.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const candidates = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The path of a Chromium on this machine; undefined when there is none. */
export function findBrowser() {
  return candidates.find((path) => path !== undefined && path !== "" && existsSync(path));
}

/** The path of a Chromium, installed if need be. */
export function ensureBrowser() {
  const found = findBrowser();
  if (found !== undefined) return found;
  const isDebian =
    existsSync("/etc/debian_version") && spawnSync("apt-get", ["--version"]).status === 0;
  if (isDebian && process.getuid?.() === 0) {
    console.log("installing chromium with apt-get, for the browser tests");
    const options = {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    };
    execFileSync("apt-get", ["update", "-qq"], options);
    execFileSync(
      "apt-get",
      ["install", "-y", "-qq", "--no-install-recommends", "chromium"],
      options,
    );
    const installed = findBrowser();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    "the browser tests need Chromium: install it (on Debian: sudo apt-get install chromium), " +
      "or set CHROMIUM_PATH to one",
  );
}

if (process.argv[1] === import.meta.filename) console.log(ensureBrowser());
