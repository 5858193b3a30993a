// Prevents a test run that skips a real server or browser in silence: finds each program, installs
// Debian's package where that may be done, or fails with the command that installs it.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fetchValkey, valkeyIsFetched, valkeyLibraries, valkeyPath } from "./fetch-valkey.mjs";

/** Where Debian keeps PostgreSQL's servers, one folder a major version, newest first. */
function postgresPrograms() {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return [];
  const versions = readdirSync(root).toSorted((one, other) => Number(other) - Number(one));
  return versions.map((version) => join(root, version, "bin", "postgres"));
}

/** What the tests run, by the name that they ask for. */
const programs = {
  chromium: {
    variable: "CHROMIUM_PATH",
    package: "chromium",
    candidates: () => [
      ...onPath("chromium", "chromium-browser", "google-chrome"),
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
  },
  redis: {
    variable: "REDIS_SERVER_PATH",
    package: "redis-server",
    candidates: () => onPath("redis-server"),
  },
  valkey: {
    variable: "VALKEY_SERVER_PATH",
    package: "valkey-server",
    candidates: () => [...onPath("valkey-server"), valkeyPath],
    fetched: valkeyIsFetched() && { libraries: valkeyLibraries, fetch: fetchValkey },
  },
  memcached: {
    variable: "MEMCACHED_PATH",
    package: "memcached",
    candidates: () => onPath("memcached"),
  },
  postgres: {
    variable: "POSTGRES_PATH",
    package: "postgresql",
    candidates: () => [...onPath("postgres"), ...postgresPrograms()],
  },
  mariadb: {
    variable: "MARIADBD_PATH",
    package: "mariadb-server",
    candidates: () => [...onPath("mariadbd"), "/usr/sbin/mariadbd"],
  },
  // Only for `npm run test:edge`.
  etcd: {
    variable: "ETCD_PATH",
    package: "etcd-server",
    candidates: () => onPath("etcd"),
  },
};

function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/** The path of a program on this machine; undefined when there is none. */
function find({ variable, candidates }) {
  return [process.env[variable] ?? "", ...candidates()].find(
    (path) => path !== "" && existsSync(path),
  );
}

function mayInstall() {
  return (
    process.getuid?.() === 0 &&
    existsSync("/etc/debian_version") &&
    spawnSync("apt-get", ["--version"]).status === 0
  );
}

/** A server's package must not start a daemon of its own: the tests start private instances. */
const noDaemons = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };

function install(packages) {
  console.log(`installing ${packages.join(", ")} with apt-get, for the tests`);
  const options = {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...noDaemons },
  };
  execFileSync("apt-get", ["update", "-qq"], options);
  const flags = ["install", "-y", "-qq", "--no-install-recommends"];
  execFileSync("apt-get", [...flags, ...packages], options);
}

/**
 * The paths of the programs, installed if need be, by name.
 * @param {...("chromium" | "redis" | "valkey" | "memcached" | "postgres" | "mariadb" | "etcd")} names - what is needed.
 */
export function ensure(...names) {
  const missing = names.filter((name) => find(programs[name]) === undefined);
  const packages = missing.flatMap((name) => {
    const { package: own, fetched } = programs[name];
    return fetched ? fetched.libraries : [own];
  });
  if (missing.length > 0 && mayInstall()) install(packages);
  for (const name of missing) if (programs[name].fetched) programs[name].fetched.fetch();
  const absent = missing.filter((name) => find(programs[name]) === undefined);
  if (absent.length > 0) {
    const variables = absent.map((name) => programs[name].variable).join(", ");
    throw new Error(
      `the tests need ${absent.join(", ")}: install them (on Debian: sudo apt-get install ` +
        `${packages.join(" ")}), or name their paths in ${variables}`,
    );
  }
  return Object.fromEntries(names.map((name) => [name, find(programs[name])]));
}

if (process.argv[1] === import.meta.filename) {
  const wanted = process.argv.slice(2);
  console.log(ensure(...(wanted.length > 0 ? wanted : Object.keys(programs))));
}
