import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { z } from "zod";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { demoBooks } from "./demo-books.ts";
import { demoReply } from "./demo-chat.ts";
import { demoChunks, demoCompletion } from "./demo-completion.ts";
import { demoEmbeddings } from "./demo-embeddings.ts";
import { chatRequestSchema, embeddingsRequestSchema } from "./demo-request.ts";

/** The model that examples ask for. */
export const demoModelName = "demo-1";

/** Another one, so that there is something to choose from; it answers the same. */
export const otherDemoModelName = "demo-2";

const models = [demoModelName, otherDemoModelName].map((id) => ({
  id,
  object: "model",
  created: 1_767_225_600,
  owned_by: "gatehouse-demonstration",
}));

/** A running demonstration model. */
export interface DemoModel extends AsyncDisposable {
  readonly port: number;
  /** With `/v1`, without a trailing slash. */
  readonly baseUrl: string;
  /** Of a REST API that it has as well: `/books`, by `booksDescription`. */
  readonly restUrl: string;
}

export interface DemoModelOptions {
  readonly clock: Clock;
  /** Taken when it is free; any free port otherwise. */
  readonly preferredPort?: number | undefined;
}

/**
 * Starts an OpenAI-compatible server on loopback that answers with made-up text and says so. It is for trying out the
 * gateway without an account: chat completions (also streamed, with tools), embeddings and models; and a small REST API.
 */
export async function startDemoModel({ clock, preferredPort = 0 }: DemoModelOptions): Promise<DemoModel> {
  const server = createServer((request, response) => {
    answer(request, response, clock).catch((error: unknown) => sendFault(response, error));
  });
  const port = await listen(server, preferredPort);
  return {
    port,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    restUrl: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const largestBodyBytes = 16_777_216;

async function listen(server: Server, port: number): Promise<number> {
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    if (port === 0) throw error;
    return listen(server, 0);
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

async function answer(request: IncomingMessage, response: ServerResponse, clock: Clock): Promise<void> {
  const [path = "", query = ""] = request.url?.split("?") ?? [];
  const created = Math.floor(clock.now() / 1000);
  switch (path) {
    case "/v1/models":
      allow(request, "GET");
      return send(response, 200, { object: "list", data: models });
    case `/v1/models/${demoModelName}`:
    case `/v1/models/${otherDemoModelName}`:
      allow(request, "GET");
      return send(
        response,
        200,
        models.find(({ id }) => path.endsWith(id)),
      );
    case "/v1/embeddings":
      allow(request, "POST");
      return send(response, 200, demoEmbeddings(await readBody(request, embeddingsRequestSchema)));
    case "/v1/chat/completions":
      allow(request, "POST");
      return chat(request, response, created);
    default:
      if (/^\/books(\/|$)/.test(path)) {
        allow(request, "GET");
        return send(response, 200, demoBooks(path, new URLSearchParams(query)));
      }
      throw new GatewayError("route.not_found", `Unknown request URL: ${request.method} ${path}.`);
  }
}

async function chat(request: IncomingMessage, response: ServerResponse, created: number): Promise<void> {
  const body = await readBody(request, chatRequestSchema);
  const reply = demoReply(body);
  if (body.stream !== true) return send(response, 200, demoCompletion(body, reply, created));
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  for (const chunk of demoChunks(body, reply, created)) {
    if (response.destroyed) return;
    if (!response.write(`data: ${JSON.stringify(chunk)}\n\n`)) await drained(response);
    await nextTurn(); // one event a turn, so that the client sees a stream and not one piece
  }
  response.end("data: [DONE]\n\n");
}

function allow(request: IncomingMessage, method: string): void {
  if (request.method === method) return;
  throw new GatewayError("route.method_not_allowed", `Not allowed to ${request.method} here; use ${method}.`);
}

async function readBody<Schema extends z.ZodType<{ model: string }>>(
  request: IncomingMessage,
  schema: Schema,
): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(parseDocument(await readBytes(request)));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = issue?.path.map(String).join(".") ?? "";
    const message = `${param === "" ? "The body" : param}: ${issue?.message ?? "not valid"}`;
    throw new GatewayError("request.invalid", message, { ...(param !== "" && { param }) });
  }
  if (models.some(({ id }) => id === parsed.data.model)) return parsed.data;
  const known = models.map(({ id }) => `\`${id}\``).join(" and ");
  const message = `The model \`${parsed.data.model}\` does not exist; the demonstration has ${known} only.`;
  throw new GatewayError("request.not_offered", message, { param: "model" });
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.byteLength;
    if (bytes > largestBodyBytes) throw new GatewayError("request.too_large", "The body is larger than 16 MiB.");
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

function parseDocument(bytes: Buffer): unknown {
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new GatewayError("request.malformed_json", "The body of the request is not valid JSON.");
  }
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
  settled.abort();
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function sendFault(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, message, param, code } = toGatewayError(error);
  const type = status >= 500 ? "server_error" : "invalid_request_error";
  const known = code === "request.not_offered" ? "model_not_found" : null;
  response.setHeader("connection", "close"); // the rest of a refused body is not read
  send(response, status, { error: { message, type, param: param ?? null, code: known } });
}
