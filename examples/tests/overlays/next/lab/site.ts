// The sessions of the test's site whose sessions are bound to devices.
import { type NextSessions, sessions } from "kocha-session/next";
import { lab } from "./sessions";

export const siteOf = (): NextSessions => lab().site(sessions);
