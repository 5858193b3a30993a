import { sessionOf } from "kocha-session/h3";
import { defineHandler } from "nitro/h3";
import { page, shop } from "../utils/page.ts";

export default defineHandler((event) => page(shop(sessionOf(event))));
