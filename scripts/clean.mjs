// Removes the folders named on the command line before a build, so that no file of an older build is shipped.
import { rmSync } from "node:fs";

for (const folder of process.argv.slice(2)) rmSync(folder, { recursive: true, force: true });
