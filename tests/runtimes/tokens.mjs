// Cookies from one runtime to another: `seal` prints what this one makes of the samples, `open` says
// what it reads in those on its standard input. The keys come by the environment.
import { text } from "node:stream/consumers";
import process from "node:process";
import { SessionCookieStore } from "kocha-session";
import { mintCookie, readCookie } from "kocha-session/testing";

const samples = [
  { name: "alice" },
  { "": "", ["__proto__"]: "x" },
  { wide: "\u{1F36A}\u0000é".repeat(40) },
  { large: "v".repeat(2500), more: "w" },
  { larger: "v".repeat(9000) },
];
const { SECRET_KEY: secretKey, SIGNING_KEY: signingKey } = process.env;
const config = { store: new SessionCookieStore({ secretKey, signingKey, maxCookies: 4 }) };

const sorted = (entries) => JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));

if (process.argv[2] === "seal") {
  const cookies = [];
  for (const sample of samples) {
    cookies.push({ data: Object.entries(sample), cookie: await mintCookie(config, sample) });
  }
  console.log(JSON.stringify(cookies));
} else {
  const opened = JSON.parse(await text(process.stdin));
  for (const { data, cookie } of opened) {
    const found = sorted([...(await readCookie(config, cookie))]);
    if (found !== sorted(data)) throw new Error(`read ${found.slice(0, 100)}`);
  }
  console.log(opened.length);
}
