import { sessionMiddleware } from "kocha-session/astro";
import { session } from "./session";

export const onRequest = sessionMiddleware(session);
