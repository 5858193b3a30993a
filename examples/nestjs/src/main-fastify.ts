import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { sessionPlugin } from "kocha-session/fastify";
import { AppModule } from "./app.module.ts";
import { session } from "./session.ts";

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter());
await app.register(sessionPlugin, { config: session });
await app.listen(process.env["PORT"] ?? 3000);
