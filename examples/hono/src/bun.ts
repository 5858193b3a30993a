// For Bun, which reads .env itself.
import { shopApp } from "./app.ts";
import { inRedisOrCookies } from "./redis.ts";

const { fetch } = shopApp(() => inRedisOrCookies(process.env));

export default { port: process.env["PORT"] ?? 3000, fetch };
