import { createCsrfMiddleware, createStart } from "@tanstack/react-start";
import { sessionMiddleware } from "kocha-session/tanstack-start";
import { caseOfLaws } from "./laws.ts";
import { config } from "./session.ts";

const csrf = createCsrfMiddleware({ filter: ({ handlerType }) => handlerType === "serverFn" });

// Mounted twice, it opens once.
export const startInstance = createStart(() => {
  const session = sessionMiddleware(caseOfLaws()?.config ?? config);
  return { requestMiddleware: [csrf, session, sessionMiddleware(caseOfLaws()?.config ?? config)] };
});
