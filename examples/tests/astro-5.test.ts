// Astro 5, with the same files, and an allowed domain for forms on another port than 80.
import { describeSite, withAstro } from "./astro/site.ts";

describeSite({
  name: "astro-5",
  node: "20",
  overlays: ["astro-5"],
  manifest: withAstro("5.18.2", "9.5.5"),
});
