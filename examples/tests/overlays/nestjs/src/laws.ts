// Serves each case by Nest, on one of its platforms.
import "reflect-metadata";
import type { AddressInfo } from "node:net";
import {
  All,
  Controller,
  type INestApplication,
  Module,
  Post,
  Redirect,
  Req,
  Res,
  Session as CurrentSession,
} from "@nestjs/common";
import type { Session, SessionConfig } from "kocha-session";
import * as testing from "kocha-session/testing";

/** The part of a response that both platforms have. */
interface Answer {
  status(status: number): unknown;
  header(name: string, value: string): unknown;
}

/** Makes an application of a module, with sessions. */
export type MakeApp = (
  module: new () => object,
  config: SessionConfig,
) => Promise<INestApplication>;

/** @param every - the platform's pattern for every path. */
export async function serveLaws(makeApp: MakeApp, every: string): Promise<void> {
  const { runLaws } = await import(new URL("../run-laws.js", import.meta.url).href);
  await runLaws(testing, async (config: SessionConfig, handler: testing.ProbeHandler) => {
    const app = await makeApp(moduleOf(handler, every), config);
    await app.listen(0, "127.0.0.1");
    const { port } = app.getHttpServer().address() as AddressInfo;
    const close = async (): Promise<void> => {
      app.getHttpServer().closeAllConnections();
      await app.close();
    };
    return { url: `http://127.0.0.1:${port}`, close };
  });
}

function moduleOf(handler: testing.ProbeHandler, every: string): new () => object {
  @Controller()
  class ProbeController {
    /** A login that offers to bind the session to the browser's device. */
    @Post("form")
    @Redirect("/read", 303)
    async enter(@CurrentSession() session: Session): Promise<void> {
      await session.regenerate();
      session.set("user", "ann");
      session.bindDevice();
    }

    @All(every)
    async probe(
      @CurrentSession() session: Session,
      @Req() { url }: { readonly url: string },
      @Res({ passthrough: true }) answer: Answer,
    ): Promise<string> {
      const { status, body, headers = {} } = await handler(session, new URL(url, "http://host"));
      answer.status(status);
      for (const [name, value] of Object.entries(headers)) answer.header(name, value);
      return body;
    }
  }
  @Module({ controllers: [ProbeController] })
  class ProbeModule {}
  return ProbeModule;
}
