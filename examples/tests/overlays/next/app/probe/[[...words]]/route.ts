// hostLaws' probe. The test makes the route, of the functions that this build holds.
import { deviceBinding } from "kocha-session/device";
import { sessions } from "kocha-session/next";
import { hostLaws } from "kocha-session/testing";
import { lab } from "../../../lab/sessions";

const handle = (request: Request, context: unknown): Promise<Response> =>
  lab().probe({ sessions, deviceBinding, hostLaws })(request, context);

export { handle as GET, handle as POST, handle as PUT, handle as DELETE, handle as HEAD };
