import { sessionMiddleware } from "kocha-session/h3";
import { session } from "../utils/session.ts";

export default sessionMiddleware(session);
