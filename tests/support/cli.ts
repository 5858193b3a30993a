// Where the repository is, and how a child process runs its sources.
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const repository: string = fileURLToPath(new URL("../..", import.meta.url));
/** Node's own flags that run the sources. */
export const sourceFlags: readonly string[] = [
  "--conditions=kocha-session-source",
  "--import",
  import.meta.resolve("tsx"),
];
