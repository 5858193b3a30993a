// Prevents that Valkey is left untested where Debian has it in backports alone: fetches its package
// and unpacks it into a cache of our own. It installs nothing and leaves apt's lists as they are.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "kocha-session");

/** Where the server is, once it is fetched. */
export const valkeyPath = join(cache, "valkey", "usr", "bin", "valkey-server");

/** What the server is linked with. */
export const valkeyLibraries = ["libatomic1", "libjemalloc2", "liblzf1"];

/** Whether this is Debian 12, which has Valkey in its backports; later releases have it themselves. */
export function valkeyIsFetched() {
  if (!existsSync("/etc/os-release")) return false;
  return /^VERSION_CODENAME=bookworm$/m.test(readFileSync("/etc/os-release", "utf8"));
}

/** Fetches the server, if it isn't there. */
export function fetchValkey() {
  if (existsSync(valkeyPath)) return;
  console.log("fetching valkey-server from Debian's backports, for the tests");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "fetch-"));
  try {
    for (const name of ["lists/partial", "archives/partial"]) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    const list = join(folder, "sources.list");
    const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    writeFileSync(
      list,
      `deb [signed-by=${keyring}] http://deb.debian.org/debian bookworm-backports main\n`,
    );
    const settings = [
      `Dir::Etc::SourceList=${list}`,
      "Dir::Etc::SourceParts=-",
      `Dir::State::Lists=${join(folder, "lists")}`,
      `Dir::Cache=${folder}`,
      // The folder is ours alone, so apt's own user can't write there.
      "APT::Sandbox::User=root",
    ].flatMap((setting) => ["-o", setting]);
    const options = { cwd: folder, stdio: ["ignore", "ignore", "inherit"] };
    execFileSync("apt-get", [...settings, "update", "-qq"], options);
    const names = ["valkey-server", "valkey-tools"];
    execFileSync("apt-get", [...settings, "download", "-qq", ...names], options);
    const unpacked = join(folder, "root");
    execFileSync("sh", ["-c", `for file in *.deb; do dpkg-deb -x "$file" root; done`], options);
    rmSync(join(cache, "valkey"), { recursive: true, force: true });
    renameSync(unpacked, join(cache, "valkey"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
