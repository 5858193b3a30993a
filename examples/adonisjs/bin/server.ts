import "reflect-metadata";
import { createServer } from "node:http";
import { Ignitor, prettyPrintError } from "@adonisjs/core";
import { withSession } from "kocha-session/node";
import { session } from "../config/session.ts";

const root = new URL("../", import.meta.url);
const importer = (file: string): unknown =>
  import(file.startsWith(".") ? new URL(file, root).href : file);

new Ignitor(root, { importer })
  .tap((app) => app.listen("SIGTERM", () => app.terminate()))
  .httpServer()
  .start((handle) => createServer(withSession(session, handle)))
  .catch((error: unknown) => {
    process.exitCode = 1;
    void prettyPrintError(error);
  });
