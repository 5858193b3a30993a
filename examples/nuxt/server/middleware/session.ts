import { sessionMiddleware } from "kocha-session/h3";
import { session } from "../utils/session";

export default sessionMiddleware(session);
