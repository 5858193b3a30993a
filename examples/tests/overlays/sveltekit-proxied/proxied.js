// adapter-node takes each request for https, unless a proxy's header says otherwise: this stands for the
// proxy, on a machine whose browser asks by plain http.
import { createServer } from "node:http";

process.env["PROTOCOL_HEADER"] = "x-forwarded-proto";
const { handler } = await import("./build/handler.js");
createServer((request, response) => {
  request.headers["x-forwarded-proto"] = "http";
  handler(request, response);
}).listen(process.env["PORT"]);
