import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext } from "node:tls";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import { createRawHandler } from "./raw-handler.ts";
import { refuseRequest, refuseUnreadable } from "./refuse-unreadable.ts";

export interface ListenOptions {
  /** Names the port in messages: `gateway` or `control`. */
  readonly name: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What to set to take another port, for the message when this one is taken. */
  readonly portSetting: string;
  readonly fetch: Fetch;
  /** The app's handlers write to `outgoing` themselves: they are spared the web's request and response objects. */
  readonly raw?: boolean;
  readonly maxConnections: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** PEM files; TLS with HTTP/2 and HTTP/1.1 where given, read again when they change. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

type Fetch = (
  request: Request,
  bindings: { incoming: IncomingMessage; outgoing: ServerResponse },
) => Response | Promise<Response>;

/** A port that is being listened on. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Takes no new connection, lets running requests end for `drainMs` at most, then closes what is left. */
  drain(drainMs: number): Promise<void>;
}

/** Listens; resolves when connections are accepted. Rejects with what to do when the port is taken. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const handle = options.raw === true ? createRawHandler(options.fetch, options) : webHandler(options);
  const server = options.tls === undefined ? plainServer(handle, options) : secureServer(handle, options.tls, options);
  server.node.on("clientError", (error: Error, socket: Duplex) => refuseUnreadable(error, socket, options));
  await started(server.node, options);
  server.node.on("error", (error: Error) =>
    options.log.error({ name: options.name, err: error }, "a connection could not be taken"),
  );
  const { port } = server.node.address() as AddressInfo; // a TCP server that listens has one
  return { host: options.host, port, drain: (drainMs) => drain(server, drainMs, options.clock) };
}

function webHandler(options: ListenOptions): NodeListener {
  const listener = getRequestListener(options.fetch as Parameters<typeof getRequestListener>[0], {
    overrideGlobalObjects: false, // Node's own Request and Response stay as they are for everybody else
    autoCleanupIncoming: false, // the handlers read or refuse each body themselves
    errorHandler: (error) => refuseRequest(error, options),
  });
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

type NodeListener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

interface NodeServer {
  readonly node: Server | Http2SecureServer;
  /** Ends connections that carry no request now, gently. */
  closeIdle(): void;
  closeAll(): void;
}

async function drain(server: NodeServer, drainMs: number, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => server.node.close(() => resolve()));
  server.closeIdle();
  const cancel = clock.after(drainMs, () => server.closeAll());
  // A kept-alive connection falls idle when its request ends, which may be after close() has looked.
  const stopSweeping = sweep(server, clock);
  await closed;
  stopSweeping();
  cancel();
}

const sweepMs = 50;

function sweep(server: NodeServer, clock: Clock): () => void {
  let cancel = clock.after(sweepMs, again);
  function again(): void {
    server.closeIdle();
    cancel = clock.after(sweepMs, again);
  }
  return () => cancel();
}

function plainServer(handle: NodeListener, options: ListenOptions): NodeServer {
  // A request without a Host is refused behind the router, in words.
  const node = createServer({ keepAliveTimeout: 75_000, noDelay: true, requireHostHeader: false }, handle);
  node.maxConnections = options.maxConnections;
  node.headersTimeout = options.headersTimeoutMs;
  node.requestTimeout = options.requestTimeoutMs;
  const sockets = new Set<Socket>();
  node.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return {
    node,
    closeIdle: () => {
      node.closeIdleConnections();
      // Node takes a connection that was opened ahead of any request for a busy one.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    },
    closeAll: () => node.closeAllConnections(),
  };
}

/** Of one HTTP/2 connection. Each of its streams may hold as much as a connection of HTTP/1.1 does. */
const maxConcurrentStreams = 256;

type TlsFiles = NonNullable<ListenOptions["tls"]>;

function secureServer(handle: NodeListener, tls: TlsFiles, options: ListenOptions): NodeServer {
  const busy = new Set<unknown>();
  const node = createSecureServer(
    { ...readTls(tls), allowHTTP1: true, settings: { maxConcurrentStreams } },
    (incoming, outgoing) => {
      if (incoming.httpVersionMajor === 1) {
        const { socket } = incoming;
        busy.add(socket);
        outgoing.once("close", () => busy.delete(socket));
      }
      // The compatible pair has everything of HTTP/1.1's that the adapters use.
      handle(incoming as unknown as IncomingMessage, outgoing as unknown as ServerResponse);
    },
  );
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  node.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  node.on("secureConnection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    if (sockets.size > options.maxConnections) socket.destroy();
  });
  const stopWatching = watchTls(node, tls, options);
  node.once("close", stopWatching);
  return {
    node,
    closeIdle: () => {
      for (const session of sessions) session.close();
      for (const socket of sockets) {
        const speaksHttp1 = "alpnProtocol" in socket && socket.alpnProtocol !== "h2";
        if (speaksHttp1 && !busy.has(socket)) socket.destroy();
      }
    },
    closeAll: () => {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function readTls({ certFile, keyFile }: TlsFiles): { readonly cert: Buffer; readonly key: Buffer } {
  try {
    return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError("config.invalid", `A TLS file cannot be read: ${reason}`, { cause });
  }
}

/** New connections get the new certificate; a pair that does not fit is logged and the old one goes on. */
function watchTls(node: Http2SecureServer, tls: TlsFiles, { log }: ListenOptions): () => void {
  const reload = (): void => {
    try {
      const files = readTls(tls);
      createSecureContext(files);
      node.setSecureContext(files);
      log.info({ certFile: tls.certFile }, "the certificate was read again");
    } catch (error) {
      log.error({ certFile: tls.certFile, err: error }, "the new certificate is not valid; the old one goes on");
    }
  };
  for (const file of [tls.certFile, tls.keyFile]) watchFile(file, { interval: 1_000, persistent: false }, reload);
  return () => {
    for (const file of [tls.certFile, tls.keyFile]) unwatchFile(file, reload);
  };
}

function started(node: Server | Http2SecureServer, { name, host, port, portSetting }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => {
      const taken = cause.code === "EADDRINUSE";
      const what = taken
        ? `Port ${port} on ${host} is in use`
        : `Port ${port} on ${host} cannot be opened (${cause.code})`;
      reject(
        new GatewayError(
          "config.invalid",
          `${what}: the ${name} cannot listen. Stop what uses it, or set ${portSetting}.`,
          { cause },
        ),
      );
    };
    node.once("error", fail);
    node.listen(port, host, () => {
      node.off("error", fail);
      resolve();
    });
  });
}
