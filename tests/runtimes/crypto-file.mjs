// Which implementation of #crypto the package's own conditions gave on this runtime.

/** "node" or "portable". The probe is put into the installed package by whoever installed it. */
export async function cryptoFile() {
  const { location } = await import("./node_modules/kocha-session/dist/crypto-probe.js");
  return location.includes("primitives-node") ? "node" : "portable";
}
