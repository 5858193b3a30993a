import type { NextConfig } from "next";

// The kit's own peers, which the project doesn't install: the test has them.
const peers = ["tough-cookie", "fast-check"];

export default {
  turbopack: {
    root: import.meta.dirname,
    resolveAlias: Object.fromEntries(peers.map((name) => [name, "./lab/peers.ts"])),
  },
  webpack: (config) => {
    for (const name of peers) config.resolve.alias[name] = `${import.meta.dirname}/lab/peers.ts`;
    return config;
  },
  // The example's own types are checked; here the time of a build counts.
  typescript: { ignoreBuildErrors: true },
} satisfies NextConfig;
