import type { ServerResponse } from "node:http";
import type { Clock } from "../kernel/clock.ts";

/** How long and how much a client may go on sending a body that was refused. */
const lingerMs = 2_000;
const lingerBytes = 67_108_864;

/**
 * After an answer that came before the end of the body: what still arrives is thrown away for a while, and then the
 * connection is closed. Closing at once would reset it, and the client would see a broken socket instead of the answer.
 * Call it when the answer has been ended; harmless when the body has been read.
 */
export function dropUnreadBody(response: ServerResponse, clock: Clock): void {
  const { req: request } = response;
  if (request.complete || request.httpVersionMajor !== 1) return;
  let dropped = 0;
  const cut = (): void => void request.destroy();
  const cancel = clock.after(lingerMs, cut);
  request.on("data", (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > lingerBytes) cut();
  });
  request.on("error", cancel); // the client's going is no fault any more
  request.once("end", cancel);
  request.once("close", cancel);
  request.resume();
}
