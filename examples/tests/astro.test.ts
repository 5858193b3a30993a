// Astro 7: the example, and behind an overlay what Astro does around a session.
import { describeSite } from "./astro/site.ts";

describeSite({ name: "astro", node: "24" });
