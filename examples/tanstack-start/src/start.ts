import { createCsrfMiddleware, createStart } from "@tanstack/react-start";
import { sessionMiddleware } from "kocha-session/tanstack-start";
import { config } from "./session.ts";

const csrf = createCsrfMiddleware({ filter: ({ handlerType }) => handlerType === "serverFn" });
const session = sessionMiddleware(config);

export const startInstance = createStart(() => ({ requestMiddleware: [csrf, session] }));
