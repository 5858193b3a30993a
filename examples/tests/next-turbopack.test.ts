// Next.js 16 with Turbopack, built with the transcripts' pages and routes.
import { describeBuild } from "./next/build.ts";

describeBuild({ what: "production build by Turbopack, edge runtime", build: ["next", "build"] });
