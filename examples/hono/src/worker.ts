// For Cloudflare Workers, where the variables come with each request.
import { shopApp } from "./app.ts";
import { inCookies } from "./session.ts";

export default shopApp(inCookies);
