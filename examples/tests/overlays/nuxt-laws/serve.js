// The build of the preset node_listener, on a server of node:http.
import { createServer } from "node:http";
import { listener } from "./.output/server/index.mjs";

createServer(listener).listen(Number(process.env.PORT), "localhost");
