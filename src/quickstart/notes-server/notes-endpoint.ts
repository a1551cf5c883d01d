import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import type { Clock } from "../../kernel/clock.ts";
import { equalInConstantTime } from "../../kernel/crypto.ts";
import { createLanes } from "./create-lanes.ts";
import { createNotesServer } from "./create-notes-server.ts";
import { createNoteStore } from "./note-store.ts";
import { openWorkspace } from "./workspace.ts";

export interface NotesEndpointOptions {
  /** The folder that holds everything; it must be there. */
  readonly workspaceFolder: string;
  /** What callers show as `Authorization: Bearer`. */
  readonly token: string;
  /** Taken when it is free. */
  readonly port: number;
  /** Whether any free port will do where that one is taken. */
  readonly anyPort: boolean;
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
}

export interface NotesEndpoint extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves the notes at `/mcp` on loopback in both eras of the protocol, to callers with the token only: others on this
 * machine get 401 before a byte of their body is read, and pages in a browser get 403.
 */
export async function startNotesEndpoint(options: NotesEndpointOptions): Promise<NotesEndpoint> {
  const { clock, report } = options;
  const workspace = await openWorkspace(options.workspaceFolder);
  const notes = createNoteStore({ workspace, clock });
  const changed = (): void => handler.notify.resourcesChanged();
  const handler = createMcpHandler(() => createNotesServer({ workspace, notes, changed, report }), {
    maxRequestBodySize: largestBodyBytes,
    maxSubscriptions: 100,
    onerror: () => {}, // what a caller does wrong is told to the caller
  });
  const serve = toNodeHandler(handler, { maxRequestBodySize: largestBodyBytes, onerror: report });
  const serving = createLanes(16); // the rest wait unread, which costs less than a server object each
  const isLocalHost = localhostHostValidation();
  const isLocalOrigin = localhostOriginValidation();
  const server = createServer((request, response) => {
    if (!isLocalHost(request, response) || !isLocalOrigin(request, response)) return;
    const refusal = refusalOf(request, options.token);
    if (refusal !== undefined) {
      response.writeHead(refusal, { connection: "close" }).end();
      return;
    }
    // A server's requests have both, which the type of Node does not say.
    const task = () => serve(request as IncomingMessage & { method: string; url: string }, response);
    const isLong = request.headers["mcp-method"] === "subscriptions/listen"; // open for as long as its caller likes
    (isLong ? task() : serving(task)).catch(report);
  });
  const port = await listen(server, options.port, options.anyPort);
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      await handler.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

// A file of the largest size as a JSON string whose every character is escaped, and something for the message around it.
const largestBodyBytes = 2_097_152;

function refusalOf({ url, headers }: IncomingMessage, token: string): 401 | 404 | undefined {
  const [scheme, shown = ""] = (headers.authorization ?? "").split(" ");
  const isKnown = equalInConstantTime(digest(shown), digest(token)) && scheme?.toLowerCase() === "bearer";
  if (!isKnown) return 401;
  return url === "/mcp" ? undefined : 404;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

async function listen(server: Server, port: number, anyPort: boolean): Promise<number> {
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    if (port === 0 || !anyPort) throw error;
    return listen(server, 0, false);
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
