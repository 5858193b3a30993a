// How long one import takes in a fresh process: milliseconds to standard output.
const [url = ""] = process.argv.slice(2);
const start = process.hrtime.bigint();
await import(url);
console.log(Number(process.hrtime.bigint() - start) / 1e6);
