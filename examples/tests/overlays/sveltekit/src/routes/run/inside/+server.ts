import { text, type RequestHandler } from "@sveltejs/kit";
import { workOff } from "../../../lib/server/queue";

export const GET: RequestHandler = async () => {
  await workOff();
  return text("done");
};
