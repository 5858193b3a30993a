// How long one import takes in a fresh process, to standard output.
import { startClock } from "../lib/clock.ts";

const [url = ""] = process.argv.slice(2);
const stop = startClock();
await import(url);
console.log(JSON.stringify(stop()));
