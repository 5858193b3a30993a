import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { sessionPlugin } from "kocha-session/fastify";
import { serveLaws } from "./laws.ts";

await serveLaws(async (module, config) => {
  const adapter = new FastifyAdapter();
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false });
  await app.register(sessionPlugin, { config });
  return app;
}, "*");
