// `npm run api`: writes the list of exports anew.
import { writeFileSync } from "node:fs";
import { writeApi } from "./api-list.ts";

writeFileSync("docs/reference/api.md", writeApi(process.cwd()));
