import { text, type RequestHandler } from "@sveltejs/kit";

export const GET: RequestHandler = () => {
  (globalThis as unknown as { release: () => void }).release();
  return text("released");
};
