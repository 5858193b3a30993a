// Runs before the pages: it counts the visits, and drops the notice that the page before this one has shown.
import { proxy } from "./session";

export default proxy(async (request, session) => {
  if (request.method !== "GET") return;
  session.flash.get("notice");
  if (request.nextUrl.pathname === "/visit") await session.increment("visits");
});

export const config = { matcher: ["/", "/visit"] };
