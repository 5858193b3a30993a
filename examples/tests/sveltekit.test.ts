// SvelteKit 3: the example, and behind an overlay what the framework does around a session.
import { describeKit } from "./sveltekit/kit.ts";

describeKit({ name: "sveltekit-3", node: "24" });
