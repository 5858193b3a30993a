// The `.env` of a project: made, or completed with what an existing one lacks. What it has is left as it is.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";

/** Read and written by the owner, and by nobody else. */
const OWNER_ONLY = 0o600;

/**
 * Adds the lines whose variables the file doesn't set, and makes a new file of all.
 * @param lines - `NAME=value` each.
 * @param comment - the line before them.
 * @returns the names that were added, and if the file is new.
 */
export function completeEnvironment(
  file: string,
  lines: readonly string[],
  comment: string,
): { readonly added: readonly string[]; readonly isNew: boolean } {
  try {
    const text = `${comment}\n${lines.join("\n")}\n`;
    writeFileSync(file, text, { flag: "wx", mode: OWNER_ONLY });
    return { added: lines.map(nameOf), isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const before = readFileSync(file, "utf8");
  const missing = lines.filter((line) => !isSet(before, nameOf(line)));
  if (missing.length > 0) {
    // ORDER: restrict the file before a secret is written.
    chmodSync(file, OWNER_ONLY);
    const gap = before === "" || before.endsWith("\n") ? "" : "\n";
    writeFileSync(file, `${gap}${comment}\n${missing.join("\n")}\n`, { flag: "a" });
  }
  return { added: missing.map(nameOf), isNew: false };
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf("="));
}

/** True for a line that sets the variable, in any usual form. */
function isSet(text: string, name: string): boolean {
  return new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=`, "m").test(text);
}
