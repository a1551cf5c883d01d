import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A request as the upstream saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Resolves when the gateway has closed the exchange before it was answered. */
  readonly aborted: Promise<void>;
}

export type Respond = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

/** A far end that does what the test says, on a real socket. */
export interface MockUpstream extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly SeenRequest[];
  /** Connections that are open now. */
  readonly openSockets: number;
  /** What the next requests get; the last one given holds on. */
  respond(...behaviours: Respond[]): void;
  /** Lets go of the requests that were seen: large ones would fill the memory. */
  forget(): void;
}

/** Starts one on a free loopback port. */
export async function startMockUpstream(first: Respond = chatAnswer("Hello.")): Promise<MockUpstream> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let behaviours: Respond[] = [first];
  const server = createServer((incoming, response) => {
    void (async () => {
      const request = await read(incoming, response);
      seen.push(request);
      const behaviour = behaviours.length > 1 ? behaviours.shift() : behaviours[0];
      await behaviour?.(request, response);
    })().catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    get openSockets() {
      return sockets.size;
    },
    respond(...given) {
      behaviours = given;
    },
    forget() {
      seen.length = 0;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with a JSON body. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Respond {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

/** A whole chat completion. */
export function chatAnswer(content: string): Respond {
  return json(200, {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "gpt-test",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  });
}

/** Sends pieces of an event stream as they stand, one write each, and ends. */
export function events(pieces: readonly (string | Uint8Array)[], headers: Record<string, string> = {}): Respond {
  return async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", ...headers });
    for (const piece of pieces) {
      response.write(piece);
      await new Promise(setImmediate);
    }
    response.end();
  };
}

/** One chunk of a chat stream as an event. */
export function chunk(delta: object, more: { finish?: string; usage?: object | null; index?: number } = {}): string {
  const choice = { index: more.index ?? 0, delta, finish_reason: more.finish ?? null };
  const usage = more.usage === undefined ? {} : { usage: more.usage };
  return `data: ${JSON.stringify({ ...chunkBase, choices: [choice], ...usage })}\n\n`;
}

/** The event that carries the usage of a whole stream. */
export function usageChunk(usage: object): string {
  return `data: ${JSON.stringify({ ...chunkBase, choices: [], usage })}\n\n`;
}

export const done = "data: [DONE]\n\n";

const chunkBase = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "gpt-test" };

async function read(incoming: IncomingMessage, response: ServerResponse): Promise<SeenRequest> {
  const aborted = new Promise<void>((resolve) => {
    response.once("close", () => {
      if (!response.writableFinished) resolve();
    });
  });
  const chunks: Buffer[] = [];
  for await (const piece of incoming) chunks.push(piece as Buffer); // an IncomingMessage without an encoding gives buffers
  return {
    method: incoming.method ?? "",
    url: incoming.url ?? "",
    headers: incoming.headers,
    body: Buffer.concat(chunks),
    aborted,
  };
}
