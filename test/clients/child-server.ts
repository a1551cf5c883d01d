import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { clientFile } from "./install-clients.ts";

/** Somebody else's MCP server, running. */
export interface ChildServer extends AsyncDisposable {
  readonly url: string;
}

/** The SDK's demonstration server, which speaks HTTP itself: by streamable HTTP, or by HTTP+SSE of 2024-11-05. */
export async function startEverything(transport: "streamableHttp" | "sse" = "streamableHttp"): Promise<ChildServer> {
  const port = await freePort();
  const script = clientFile("@modelcontextprotocol/server-everything/dist/index.js");
  const child = spawn(process.execPath, [script, transport], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      if (/listening|running/i.test(chunk.toString())) resolve();
    });
    child.once("exit", (code) => reject(new Error(`server-everything ended with ${code}`)));
  });
  const path = transport === "sse" ? "/sse" : "/mcp";
  return { url: `http://127.0.0.1:${port}${path}`, [Symbol.asyncDispose]: () => ended(child) };
}

/**
 * A server that speaks only on its standard streams, behind the little HTTP that it lacks: one process for each
 * session, each request answered by one JSON body. What it asks of the client by itself is not carried.
 */
export async function startBehindHttp(script: string, args: readonly string[]): Promise<ChildServer> {
  const sessions = new Map<string, StdioServer>();
  const server = createServer((request, response) => {
    void (async () => {
      if (request.method !== "POST") return void response.writeHead(405, { allow: "POST" }).end();
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer); // an IncomingMessage without an encoding gives buffers
      const message = JSON.parse(Buffer.concat(chunks).toString("utf8")) as StdioMessage; // the gateway sends what it has checked
      const id = String(request.headers["mcp-session-id"] ?? randomUUID());
      const session = sessions.get(id) ?? startStdio(script, args);
      sessions.set(id, session);
      answer(response, id, await session.send(message));
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions.values()].map(({ child }) => ended(child)));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface StdioMessage {
  readonly id?: string | number;
  readonly method?: string;
}

interface StdioServer {
  readonly child: ChildProcess;
  /** The response to a request; undefined at once for what has none. */
  send(message: StdioMessage): Promise<string | undefined>;
}

function startStdio(script: string, args: readonly string[]): StdioServer {
  const child = spawn(process.execPath, [clientFile(script), ...args], { stdio: ["pipe", "pipe", "ignore"] });
  const waiting = new Map<string | number, (line: string) => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, method } = JSON.parse(line) as StdioMessage; // one message a line (basic/transports, "stdio")
    if (id !== undefined && method === undefined) waiting.get(id)?.(line);
  });
  return {
    child,
    send(message) {
      child.stdin.write(`${JSON.stringify(message)}\n`);
      const { id, method } = message;
      if (id === undefined || method === undefined) return Promise.resolve(undefined);
      return new Promise((resolve) => waiting.set(id, resolve));
    },
  };
}

function answer(response: ServerResponse, session: string, line: string | undefined): void {
  response.writeHead(line === undefined ? 202 : 200, {
    "mcp-session-id": session,
    ...(line !== undefined && { "content-type": "application/json" }),
  });
  response.end(line);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.removeAllListeners("exit");
    child.once("exit", () => resolve());
    if (!child.kill("SIGKILL")) resolve();
  });
}

/** One that was free a moment ago: the server takes a number and tells none. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  await new Promise((resolve) => server.close(resolve));
  return port;
}
