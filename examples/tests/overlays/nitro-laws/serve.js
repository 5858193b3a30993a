// The build of the preset node_middleware, on a server of node:http.
import { createServer } from "node:http";
import { middleware } from "./.output/server/index.mjs";

createServer(middleware).listen(Number(process.env.PORT), "localhost");
