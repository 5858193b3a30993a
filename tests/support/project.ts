// A folder that looks like a project with the library installed, without any installing.
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { repository } from "./cli.ts";

/** Links the repository's packages, and the repository itself as kocha-session, into a folder. */
export async function linkPackages(folder: string): Promise<void> {
  const target = join(folder, "node_modules");
  if ((await mkdir(target, { recursive: true })) === undefined) return;
  const source = join(repository, "node_modules");
  const names = (await readdir(source)).filter((name) => !name.startsWith("."));
  await Promise.all(names.map((name) => symlink(join(source, name), join(target, name))));
  await symlink(repository, join(target, "kocha-session"));
}
