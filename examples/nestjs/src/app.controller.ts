import { setTimeout } from "node:timers/promises";
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  Post,
  Query,
  Redirect,
  Session as CurrentSession,
  Sse,
  UseGuards,
} from "@nestjs/common";
import type { Session } from "kocha-session";
import { interval, map, type Observable, take } from "rxjs";
import { page, shop } from "./page.ts";
import { cart } from "./session.ts";

/** Lets in who is signed in; anyone else gets a 403. */
class SignedIn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ session: Session }>().session.has("user");
  }
}

@Controller()
export class AppController {
  @Get()
  @Header("Content-Type", "text/html; charset=utf-8")
  index(@CurrentSession() session: Session): string {
    return page(shop(session));
  }

  @Post("sign-in")
  @Redirect("/", 303)
  async signIn(@CurrentSession() session: Session, @Body("name") name: string): Promise<void> {
    await session.regenerate(); // a new credential, the same data
    session.set("user", name);
    session.flash.set("notice", `Welcome, ${name}`);
  }

  @Post("add")
  @Redirect("/", 303)
  async add(@CurrentSession() session: Session, @Body("item") item: string): Promise<void> {
    await cart.of(session).update(item, (count = 0) => count + 1);
  }

  @Post("sign-out")
  @Redirect("/", 303)
  async signOut(@CurrentSession() session: Session): Promise<void> {
    await session.destroy();
  }

  @Get("account")
  @UseGuards(SignedIn)
  account(@CurrentSession() session: Session): { user: string } {
    return { user: session.get("user") };
  }

  /** What is written before the first event is saved; then the session can only be read. */
  @Sse("events")
  events(@CurrentSession() session: Session): Observable<{ data: string }> {
    session.set("watching", "1");
    const user = session.get("user");
    return interval(20).pipe(
      take(2),
      map((count) => ({ data: `${count} for ${user}` })),
    );
  }

  /** A page that counts its visits while it answers. */
  @Get("visit")
  @Header("Content-Type", "text/html; charset=utf-8")
  async visit(@CurrentSession() session: Session): Promise<string> {
    return page(`<p id="visits">${await session.increment("visits")}</p>`);
  }

  /** A slow request: it writes what it read a while ago. */
  @Get("late")
  async late(@CurrentSession() session: Session, @Query("ms") ms: string): Promise<string> {
    const before = session.get("late");
    await setTimeout(Number(ms));
    session.set("late", `${before}.`);
    return "late";
  }
}
