import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { NodeIncomingMessageLike } from "@modelcontextprotocol/node";
import {
  localhostHostValidation,
  localhostOriginValidation,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
  toWebRequest,
} from "@modelcontextprotocol/node";
import type { EventStore, JSONRPCMessage, McpRequestContext } from "@modelcontextprotocol/server";
import { createMcpHandler, createRequestStateCodec, isLegacyRequest, McpServer } from "@modelcontextprotocol/server";
import type { McpEra } from "../../src/mcp/wire/legacy.ts";
import { addAskedTools, addAskingTools } from "./fixture-asking-tools.ts";
import type { FixtureNotifier } from "./fixture-content-tools.ts";
import { addContentTools, addEndlessTool } from "./fixture-content-tools.ts";
import type { FixtureState } from "./fixture-input-tools.ts";
import { addInputTools } from "./fixture-input-tools.ts";
import { addPrompts } from "./fixture-prompts.ts";
import { addResources } from "./fixture-resources.ts";

/** An MCP server that conforms to both eras, with everything that the official suites ask for. */
export interface FixtureServer extends AsyncDisposable {
  readonly url: string;
  /** Connections that are open now. */
  readonly openSockets: number;
  /** Legacy sessions that are open now. */
  readonly sessions: number;
  /** Calls of `work_until_stopped` that run now. */
  readonly working: number;
  /** Cuts every connection that is open, as a server does that dies. */
  dropConnections(): void;
  /** Tells those who watch the resource, in either era, that it has changed. */
  resourceUpdated(uri: string): Promise<void>;
}

/** Counted for all servers of this process; each test file has its own. */
const work = { running: 0 };

const codec = createRequestStateCodec<FixtureState>({ key: randomUUID() });

/** Starts one on a free loopback port. With an `era` it has never heard of the other one. */
export async function startFixtureServer({ era }: { readonly era?: McpEra } = {}): Promise<FixtureServer> {
  const sessions = new Map<string, Session>();
  const modern = createMcpHandler((context) => createFixture(context, modern.notify), { legacy: "reject" });
  const serveModern = toNodeHandler(modern);
  const hostIsOurs = localhostHostValidation();
  const originIsOurs = localhostOriginValidation();

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!hostIsOurs(request, response) || !originIsOurs(request, response)) return;
    const body = await readJson(request);
    // Node's own request, whose optional fields may also be undefined.
    const like = request as NodeIncomingMessageLike;
    const isLegacy = era === undefined ? await isLegacyRequest(await toWebRequest(like, body), body) : era === "legacy";
    if (isLegacy) await serveLegacy(sessions, request, response, body);
    else await serveModern(like, response, body);
  };
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    get openSockets() {
      return sockets.size;
    },
    get sessions() {
      return sessions.size;
    },
    get working() {
      return work.running;
    },
    dropConnections() {
      for (const socket of sockets) socket.destroy();
    },
    async resourceUpdated(uri) {
      modern.notify.resourceUpdated(uri);
      for (const { mcp, watched } of sessions.values())
        if (watched.has(uri)) await mcp.server.sendResourceUpdated({ uri });
    },
    async [Symbol.asyncDispose]() {
      await modern.close();
      for (const { transport } of sessions.values()) await transport.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Session {
  readonly transport: NodeStreamableHTTPServerTransport;
  readonly mcp: McpServer;
  readonly watched: ReadonlySet<string>;
}

function createFixture({ era }: Pick<McpRequestContext, "era">, notifier: FixtureNotifier): McpServer {
  const mcp = new McpServer(
    { name: "gatehouse-conformance-fixture", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: codec.verify },
    },
  );
  addContentTools(mcp, notifier);
  addEndlessTool(mcp, work);
  addInputTools(mcp, codec);
  if (era === "legacy") addAskingTools(mcp);
  else addAskedTools(mcp);
  addResources(mcp);
  addPrompts(mcp);
  return mcp;
}

async function serveLegacy(
  sessions: Map<string, Session>,
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
): Promise<void> {
  const id = request.headers["mcp-session-id"];
  const known = typeof id === "string" ? sessions.get(id) : undefined;
  if (known !== undefined) return known.transport.handleRequest(request, response, body);
  if (id !== undefined) return refuse(response, 404, "Session not found");
  if (!isInitialize(body)) return refuse(response, 400, "Mcp-Session-Id header is required");
  const { transport } = await openSession(sessions);
  return transport.handleRequest(request, response, body);
}

async function openSession(sessions: Map<string, Session>): Promise<Session> {
  const watched = new Set<string>();
  const mcp = createFixture(
    { era: "legacy" },
    { toolsChanged: () => mcp.sendToolListChanged(), promptsChanged: () => mcp.sendPromptListChanged() },
  );
  mcp.server.setRequestHandler("resources/subscribe", ({ params }) => {
    watched.add(params.uri);
    return {};
  });
  mcp.server.setRequestHandler("resources/unsubscribe", ({ params }) => {
    watched.delete(params.uri);
    return {};
  });
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    eventStore: createEventStore(),
    retryInterval: 500,
    onsessioninitialized: (id) => void sessions.set(id, session),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  const session = { transport, mcp, watched };
  await mcp.connect(transport);
  return session;
}

/** Events by stream, for clients that come back with the last id that they saw. */
function createEventStore(): EventStore {
  const events: { readonly id: string; readonly stream: string; readonly message: JSONRPCMessage }[] = [];
  return {
    storeEvent(stream, message) {
      const id = `${stream}_${events.length}`;
      events.push({ id, stream, message });
      return Promise.resolve(id);
    },
    async replayEventsAfter(last, { send }) {
      const at = events.findIndex(({ id }) => id === last);
      const stream = events[at]?.stream ?? "";
      for (const event of events.slice(at + 1)) {
        if (event.stream === stream && "jsonrpc" in event.message) await send(event.id, event.message);
      }
      return stream;
    },
  };
}

function isInitialize(body: unknown): boolean {
  return typeof body === "object" && body !== null && "method" in body && body.method === "initialize";
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32_000, message } }));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // an IncomingMessage without an encoding gives buffers
  if (chunks.length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}
