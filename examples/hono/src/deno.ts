// For Deno.
import { shopApp } from "./app.ts";
import { inRedisOrCookies } from "./redis.ts";

const { fetch } = shopApp(() => inRedisOrCookies(Deno.env.toObject()));

Deno.serve({ port: Number(Deno.env.get("PORT") ?? 3000) }, fetch);
