// Prevents a host without an entry point, an entry point without a file, a subpath that the README
// doesn't know, a peer that everyone would have to install, and a package without a reason.
import { existsSync, readdirSync, readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const readme = readFileSync("README.md", "utf8");
const faults = [];
const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== "./package.json");

for (const subpath of subpaths) {
  const { "kocha-session-source": source, types, default: built } = manifest.exports[subpath];
  for (const file of [source, types, built]) {
    if (!existsSync(file)) faults.push(`${subpath}: ${file} is not there`);
  }
  // What `moduleResolution: node10` reads, which knows no exports.
  const [typesForNode10] = manifest.typesVersions["*"][subpath.slice(2)] ?? [];
  if (subpath !== "." && typesForNode10 !== types)
    faults.push(`${subpath}: typesVersions must lead to ${types}`);
  const name = subpath === "." ? "kocha-session" : `kocha-session/${subpath.slice(2)}`;
  if (!readme.includes(`\`${name}\``)) faults.push(`${subpath}: README.md has no \`${name}\``);
}
for (const entry of readdirSync("src/hosts", { withFileTypes: true })) {
  const { name } = entry;
  if (entry.isFile() && !subpaths.includes(`./${name.slice(0, -3)}`))
    faults.push(`src/hosts/${name} has no subpath`);
}
for (const peer of Object.keys(manifest.peerDependencies)) {
  if (manifest.peerDependenciesMeta?.[peer]?.optional !== true)
    faults.push(`the peer ${peer} is not optional`);
}
for (const name of [
  ...Object.keys(manifest.dependencies),
  ...Object.keys(manifest.peerDependencies),
]) {
  if (!readme.includes(`| \`${name}\``))
    faults.push(`README.md's dependency table has no \`${name}\``);
}
const contributing = readFileSync("CONTRIBUTING.md", "utf8");
for (const name of Object.keys(manifest.devDependencies)) {
  if (!contributing.includes(`\`${name}\``))
    faults.push(`CONTRIBUTING.md doesn't say why \`${name}\` is installed`);
}
if (Object.keys(manifest.dependencies).length > 3)
  faults.push("more than three runtime dependencies");
for (const fault of faults) console.error(fault);
console.log(
  faults.length === 0 ? `${subpaths.length} subpaths, all in order` : `${faults.length} faults`,
);
process.exit(faults.length === 0 ? 0 : 1);
