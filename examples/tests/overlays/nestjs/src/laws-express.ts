import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { sessionMiddleware } from "kocha-session/express";
import { serveLaws } from "./laws.ts";

await serveLaws(async (module, config) => {
  const app = await NestFactory.create<NestExpressApplication>(module, { logger: false });
  app.use(sessionMiddleware(config));
  return app;
}, "*path");
