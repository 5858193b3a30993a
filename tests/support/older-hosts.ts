// The oldest line of each host that works, beside the newest one in hosts.ts. Their types are those
// of the newest, as far as they are used here.
import type express from "express";
// @ts-expect-error it has no declarations of its own
import express416 from "express416";
import type Fastify from "fastify";
import { fastify as fastify4 } from "fastify4";
import {
  createApp,
  eventHandler,
  setResponseHeaders,
  setResponseStatus,
  toNodeListener,
} from "h3v1";
import type { Hono } from "hono";
import { Hono as Hono3 } from "hono3";
import type Koa from "koa";
// @ts-expect-error it has no declarations of its own
import Koa2 from "koa2";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import type { MakeServer } from "kocha-session/testing";
import { listen } from "./listen.ts";
import { onExpress, onFastify, onHono, onKoa } from "./hosts.ts";

const onH3One: MakeServer = (config, handler) => {
  const app = createApp();
  app.use(h3Session(config));
  app.use(h3Session(config));
  app.use(
    eventHandler(async (event) => {
      const url = new URL(event.path, "http://localhost");
      const { status, body, headers = {} } = await handler(sessionOf(event), url);
      setResponseStatus(event, status);
      setResponseHeaders(event, headers);
      return body;
    }),
  );
  return listen(toNodeListener(app));
};

/** A server of each for a handler. */
export const olderHosts: Readonly<Record<string, MakeServer>> = {
  "express 4.16": onExpress(() => (express416 as unknown as typeof express)()),
  "fastify 4": onFastify(() => (fastify4 as unknown as typeof Fastify)()),
  "koa 2": onKoa(() => new (Koa2 as unknown as typeof Koa)()),
  "h3 1": onH3One,
  "hono 3": onHono(() => new Hono3() as unknown as Hono),
};
