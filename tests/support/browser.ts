// A real Chromium for the tests; it is there, or the run fails and names what installs it.
import { chromium, type Browser } from "playwright-core";
import { ensure } from "../../scripts/ensure.mjs";

/** Starts Chromium without a window; the caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: ensure("chromium").chromium, args });
}
