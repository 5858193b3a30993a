// The commands of an example's README: those of its `sh` blocks, as a reader of the page runs them. The last
// line of each block starts the application, by itself; the lines before it are run once, in their order.

/** What a README tells its reader to run. */
export interface Commands {
  /** What comes before a start, in the order of the page: builds, keys. */
  readonly before: readonly string[];
  /** The line of each block that starts the application. */
  readonly starts: readonly string[];
}

const BLOCK = /^```sh\n(.*?)^```$/gms;
/** The package and what the example depends on are installed already. */
const INSTALL = /^npm install(?: kocha-session)?$/;

/** The commands of a page. */
export function commandsOf(page: string): Commands {
  const blocks = Array.from(page.matchAll(BLOCK), ([, text = ""]) => text.trimEnd().split("\n"));
  const lines = blocks.flatMap((block) => block.slice(0, -1));
  const before = lines.filter((line) => !INSTALL.test(line));
  return { before, starts: blocks.flatMap((block) => block.slice(-1)) };
}
