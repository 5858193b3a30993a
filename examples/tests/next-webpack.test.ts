// Next.js 16 with webpack, built with the transcripts' pages and routes.
import { describeBuild } from "./next/build.ts";

describeBuild({
  what: "production build by webpack, edge runtime",
  build: ["next", "build", "--webpack"],
});
