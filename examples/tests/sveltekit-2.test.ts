// SvelteKit 2, with the same files.
import { describeKit } from "./sveltekit/kit.ts";

describeKit({
  name: "sveltekit-2",
  node: "20",
  overlays: ["sveltekit2"],
  manifest: (manifest) => ({
    ...manifest,
    devDependencies: {
      ...(manifest["devDependencies"] as object),
      "@sveltejs/adapter-node": "5.5.7",
      "@sveltejs/kit": "2.70.4",
    },
  }),
});
