// `npm run api`: writes the list of exports anew.
import { writeFileSync } from "node:fs";
import { readArguments } from "../trials/lib/arguments.ts";
import { writeApi } from "./api-list.ts";

readArguments("api", {});
writeFileSync("docs/reference/api.md", writeApi(process.cwd()));
