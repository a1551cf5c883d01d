import type { Socket } from "node:net";
import { createServer } from "node:net";
import { announcePort } from "./announce-port.ts";
import {
  asksForLong,
  chatAnswer,
  longAnswer,
  longAnswerMs,
  messageAnswer,
  pieceCount,
  pieceEveryMs,
  streamPieces,
  toolAnswer,
} from "./mock-answers.ts";

// The far end of every lane, in a process of its own. Written on bare sockets, because an HTTP server of Node's would be
// slower than the fastest lane and the figures would be the mock's.

const chat = whole(chatAnswer);
const message = whole(messageAnswer);
const long = whole(longAnswer);
const streamHead = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n" +
    "transfer-encoding: chunked\r\n\r\n",
);
const pieces = streamPieces.map((piece) => chunked(piece));
const streamEnd = Buffer.from("0\r\n\r\n");
const failure = whole('{"error":{"message":"Made to fail.","type":"server_error"}}', "500 Internal Server Error");

announcePort(
  createServer({ noDelay: true }, (socket) => {
    let rest: Buffer | undefined;
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      rest = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
      while (rest !== undefined) {
        const used = answerFirst(rest, socket);
        if (used === 0) return;
        rest = used < rest.length ? rest.subarray(used) : undefined;
      }
    });
  }),
);

/** Answers the first request in the buffer and says how many bytes it had; 0 while it is not complete. */
function answerFirst(buffer: Buffer, socket: Socket): number {
  const headEnd = buffer.indexOf("\r\n\r\n");
  if (headEnd < 0) return 0;
  const head = buffer.toString("latin1", 0, headEnd);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const end = headEnd + 4 + length;
  if (buffer.length < end) return 0;
  const body = buffer.toString("latin1", headEnd + 4, end);
  if (body.includes(asksForLong)) setTimeout(() => socket.write(long), longAnswerMs);
  else if (body.includes('"jsonrpc"')) socket.write(whole(toolAnswer(idOf(body))));
  else if (body.includes('"stream":true')) void stream(socket);
  else if (head.startsWith("POST /v1/messages ")) socket.write(message);
  else socket.write(body.includes('"bench-error"') ? failure : chat);
  return end;
}

/** The first piece with the head, then one every few milliseconds, as a model that types. */
async function stream(socket: Socket): Promise<void> {
  let sent = 0;
  const timer = setInterval(() => {
    const piece = pieces[sent];
    sent += 1;
    if (piece !== undefined && !socket.destroyed) socket.write(piece);
    if (sent < pieceCount) return;
    clearInterval(timer);
    if (!socket.destroyed) socket.write(streamEnd);
  }, pieceEveryMs);
  socket.cork();
  socket.write(streamHead);
  socket.write(pieces[0] ?? streamEnd);
  sent = 1;
  socket.uncork();
}

function idOf(body: string): string {
  return /"id":("[^"]*"|\d+)/.exec(body)?.[1] ?? "null";
}

function whole(json: string, status = "200 OK"): Buffer {
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n`;
  return Buffer.from(head + json);
}

function chunked(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
