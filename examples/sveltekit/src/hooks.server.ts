import { sessionHandle } from "kocha-session/sveltekit";
import { session } from "./lib/server/session";

export const handle = sessionHandle(session);
