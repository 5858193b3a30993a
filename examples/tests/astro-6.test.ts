// Astro 6, with the same files.
import { describeSite, withAstro } from "./astro/site.ts";

describeSite({ name: "astro-6", node: "22", manifest: withAstro("6.4.8", "10.1.4") });
