// The entry point `kocha-session/testing`: the conformance kit, and helpers for applications' tests.
export { ConformanceError, laws, type ConformanceCase, type Law } from "./case.ts";
export { fakeClock, type TestClock } from "./clock.ts";
export { hostLaws, type HostLawsOptions } from "./host-laws.ts";
export type { MakeServer } from "./laws/stage.ts";
export { mintCookie, readCookie, type MintOptions } from "./mint.ts";
export type { ProbeAnswer, ProbeHandler } from "./probe.ts";
export { report, runCases, type CaseResult, type SubjectResults } from "./report.ts";
export type { MakeStore } from "./contract/setting.ts";
export { storeLaws, type StoreLawsOptions } from "./store-laws.ts";
