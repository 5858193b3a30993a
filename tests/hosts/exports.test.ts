// What each host exports, to be used by applications: nothing of what it is made of.
import * as onElysia from "kocha-session/elysia";
import * as onAstro from "kocha-session/astro";
import * as dropIn from "kocha-session/compat/express-session";
import * as onExpress from "kocha-session/express";
import * as onFastify from "kocha-session/fastify";
import * as onFetch from "kocha-session/fetch";
import * as onH3 from "kocha-session/h3";
import * as onHono from "kocha-session/hono";
import * as onKoa from "kocha-session/koa";
import * as onNode from "kocha-session/node";
import * as onReactRouter from "kocha-session/react-router";
import * as onSvelteKit from "kocha-session/sveltekit";
import { expect, test } from "vitest";

const hosts: Readonly<Record<string, readonly [host: object, names: readonly string[]]>> = {
  node: [onNode, ["openSession", "sessionMiddleware", "withSession"]],
  express: [onExpress, ["openSession", "sessionMiddleware"]],
  fastify: [onFastify, ["openSession", "sessionPlugin"]],
  koa: [onKoa, ["openSession", "sessionMiddleware"]],
  hono: [onHono, ["openSession", "sessionMiddleware", "sessionOf"]],
  h3: [onH3, ["openSession", "sessionMiddleware", "sessionOf"]],
  elysia: [onElysia, ["openSession", "session", "sessionOf"]],
  sveltekit: [onSvelteKit, ["openSession", "sessionHandle", "sessionOf"]],
  fetch: [onFetch, ["openSession", "sessionOf", "withSession"]],
  astro: [onAstro, ["openSession", "sessionMiddleware", "sessionOf"]],
  "react-router": [
    onReactRouter,
    ["createSessionStorage", "openSession", "sessionContext", "sessionMiddleware"],
  ],
};

test.each(Object.entries(hosts))("kocha-session/%s", (_, [host, names]) => {
  expect(Object.keys(host).toSorted()).toEqual(names);
  expect((host as { openSession: unknown }).openSession).toBe(onNode.openSession);
});

test("kocha-session/compat/express-session is a function with its classes, by import and by require", () => {
  const classes = ["Cookie", "MemoryStore", "Session", "Store"];
  expect(Object.keys(dropIn).toSorted()).toEqual([...classes, "default", "module.exports"]);
  const { default: session, Cookie, MemoryStore, Session, Store } = dropIn;
  // What `require` gives of a module with this export, on Node.js 20.19 and 22.12 or later.
  expect(Object.entries(dropIn)).toContainEqual(["module.exports", session]);
  expect(Object.keys(session).toSorted()).toEqual(classes);
  expect({ ...session }).toEqual({ Cookie, MemoryStore, Session, Store });
});
