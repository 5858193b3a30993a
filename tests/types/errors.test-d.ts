// Errors narrow by their code and by their class, and carry what their documentation says.
import {
  type AnySessionError,
  ConfigError,
  isSessionError,
  type KeySize,
  LimitError,
  SessionError,
  type SessionErrorCode,
  StoreError,
  type StoreOperation,
  UsageError,
} from "kocha-session";
import type * as alone from "kocha-session/errors";
import { describe, expectTypeOf, test } from "vitest";

declare const caught: unknown;

describe("narrowing", () => {
  test("isSessionError makes an unknown one of the four", () => {
    // @ts-expect-error nothing is known of what was caught
    void caught.code;
    if (!isSessionError(caught)) return;
    expectTypeOf(caught).toEqualTypeOf<AnySessionError>();
    expectTypeOf(caught.code).toEqualTypeOf<SessionErrorCode>();
  });

  test("the code decides on the class", () => {
    const error = caught as AnySessionError;
    switch (error.code) {
      case "ERR_SESSION_LIMIT_COOKIE":
      case "ERR_SESSION_LIMIT_SESSION":
        expectTypeOf(error).toEqualTypeOf<LimitError>();
        expectTypeOf(error.actual).toEqualTypeOf<number>();
        expectTypeOf(error.limit).toEqualTypeOf<number>();
        expectTypeOf(error.largestKeys).toEqualTypeOf<readonly KeySize[]>();
        break;
      case "ERR_SESSION_CONFIG_FIELD":
      case "ERR_SESSION_CONFIG_KEY":
        expectTypeOf(error).toEqualTypeOf<ConfigError>();
        expectTypeOf(error.field).toEqualTypeOf<string>();
        break;
      case "ERR_SESSION_STORE_TIMEOUT":
        expectTypeOf(error).toEqualTypeOf<StoreError>();
        expectTypeOf(error.operation).toEqualTypeOf<StoreOperation>();
        expectTypeOf<typeof error.status>().toEqualTypeOf<503>();
        break;
      case "ERR_SESSION_USAGE_DESTROYED":
        expectTypeOf(error).toEqualTypeOf<UsageError>();
        // @ts-expect-error only a limit has a number
        void error.actual;
        break;
      // @ts-expect-error a code that no error has
      case "ERR_SESSION_USAGE_UNKNOWN":
        break;
      default:
    }
  });

  test("so does the name", () => {
    const error = caught as AnySessionError;
    if (error.name === "StoreError") expectTypeOf(error).toEqualTypeOf<StoreError>();
    if (error.name === "LimitError") expectTypeOf(error).toEqualTypeOf<LimitError>();
    // @ts-expect-error there is no such class
    if (error.name === "TokenError") return;
  });

  test("every code belongs to exactly one class", () => {
    const classOf = <Code extends SessionErrorCode>(
      _code: Code,
    ): Extract<AnySessionError, { code: Code }> => caught as never;
    expectTypeOf<AnySessionError["code"]>().toEqualTypeOf<SessionErrorCode>();
    expectTypeOf<
      ConfigError["code"] & (UsageError["code"] | LimitError["code"] | StoreError["code"])
    >().toBeNever();
    expectTypeOf<UsageError["code"] & (LimitError["code"] | StoreError["code"])>().toBeNever();
    expectTypeOf<LimitError["code"] & StoreError["code"]>().toBeNever();
    // @ts-expect-error a misspelt code
    classOf("ERR_SESSION_LIMIT_COOKIES");
  });
});

describe("the classes", () => {
  test("are errors under one root, which nobody makes", () => {
    expectTypeOf<SessionError>().toExtend<Error>();
    for (const one of [ConfigError, UsageError, LimitError, StoreError]) {
      expectTypeOf(one.prototype).toExtend<SessionError>();
    }
    // @ts-expect-error abstract
    new SessionError("boom");
  });

  test("are those of kocha-session/errors", () => {
    expectTypeOf<alone.LimitError>().toEqualTypeOf<LimitError>();
    expectTypeOf<alone.AnySessionError>().toEqualTypeOf<AnySessionError>();
  });

  test("what they tell is read-only", () => {
    const error = caught as StoreError;
    // @ts-expect-error the code is the error's
    error.code = "ERR_SESSION_STORE_TIMEOUT";
    // @ts-expect-error so is the status
    error.status = 500;
  });
});
