// Which implementation of #crypto the package's own conditions gave on this runtime.

/** "node" or "portable". The probe is put into the installed package by whoever installed it. */
export async function cryptoFile() {
  const { location } = await import("./node_modules/kocha-session/dist/crypto-probe.js");
  if (location.includes("primitives-node")) return "node";
  // What it takes at its start.
  return globalThis.process?.getBuiltinModule === undefined ? "portable" : "node";
}
