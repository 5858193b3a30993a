import node from "@astrojs/node";
import { defineConfig } from "astro/config";

export default defineConfig({
  output: "server",
  adapter: node({ mode: "standalone" }),
  // Astro 5 takes the port of the Host header only for these, and compares it with a form's Origin.
  security: { allowedDomains: [{ hostname: "localhost" }] },
});
