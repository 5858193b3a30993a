import { sessionOf } from "kocha-session/h3";
import { defineHandler } from "nitro/h3";

export default defineHandler((event) => sessionOf(event).toObject());
