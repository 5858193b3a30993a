// The sessions of the test's site whose sessions are bound to devices.
import { deviceBinding } from "kocha-session/device";
import { type NextSessions, sessions } from "kocha-session/next";
import { lab } from "./sessions";

export const siteOf = (): NextSessions => lab().site({ sessions, deviceBinding });
