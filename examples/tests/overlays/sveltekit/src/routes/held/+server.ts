import { json, type RequestHandler } from "@sveltejs/kit";

export const GET: RequestHandler = ({ locals: { session } }) => json(session.toObject());
