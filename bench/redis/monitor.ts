// Which commands a Redis was sent, by its own MONITOR: those that a script runs inside aren't sent.
import { connect } from "node:net";
import { once } from "node:events";

/** Listens until it is asked for the names of the commands. */
export interface Monitor {
  readonly stop: () => Promise<string[]>;
}

/** Without a command for so long, in milliseconds, nothing is under way any more. */
const QUIET = 100;

/** Starts listening once nothing is under way: what was sent before isn't told. */
export async function monitor(port: number): Promise<Monitor> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.setEncoding("utf8");
  let text = "";
  socket.write("MONITOR\r\n");
  await once(socket, "data");
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  const quiet = async (): Promise<void> => {
    let length: number;
    do {
      ({ length } = text);
      await new Promise((resolve) => setTimeout(resolve, QUIET));
    } while (text.length > length);
  };
  await quiet();
  text = "";
  return {
    stop: async () => {
      await quiet();
      socket.destroy();
      // +1700000000.000000 [0 127.0.0.1:1234] "hgetall" "kocha:s:…"; within a script: [0 lua].
      const lines = text.matchAll(/^\+[\d.]+ \[\d+ (?!lua\])[^\]]*\] "([^"]*)"/gm);
      return [...lines].map(([, command = ""]) => command.toUpperCase());
    },
  };
}
