import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { sessionMiddleware } from "kocha-session/express";
import { AppModule } from "./app.module.ts";
import { session } from "./session.ts";

const app = await NestFactory.create<NestExpressApplication>(AppModule);
app.use(sessionMiddleware(session));
await app.listen(process.env["PORT"] ?? 3000);
