import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, request as sendRequest } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What goes wrong with each request. `die`: the connection ends before anything is passed on. `half`: it ends while the
 * request's body is on its way, and half of that is passed on. `hang`: nothing is answered, until `release`. `lose`: all is
 * passed on and done, and the answer is lost. `refuse`: the port is closed.
 */
export type ProxyFault = "pass" | "die" | "half" | "hang" | "lose" | "refuse";

/** The HTTP path to a server, which can be broken. */
export interface FaultyProxy extends AsyncDisposable {
  readonly url: string;
  /** How many requests wait for `release`. */
  readonly hanging: number;
  /** How many requests each fault was done to. */
  readonly done: ReadonlyMap<ProxyFault, number>;
  set(fault: ProxyFault): Promise<void>;
  /** Ends the connections that hang. */
  release(): void;
}

/** A proxy in front of `target`, on a port of its own. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  let fault: ProxyFault = "pass";
  const done = new Map<ProxyFault, number>();
  const hung = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    done.set(fault, (done.get(fault) ?? 0) + 1);
    if (fault === "hang") hung.add(response);
    else if (fault === "die" || fault === "refuse") response.destroy();
    else void passOn(target, request, response, fault);
  });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    done,
    get hanging() {
      return hung.size;
    },
    async set(next) {
      if (next === "refuse" && server.listening) await close(server);
      else if (next !== "refuse" && !server.listening) await listen(server, port);
      fault = next;
    },
    release() {
      for (const response of hung) response.destroy();
      hung.clear();
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await close(server);
    },
  };
}

async function passOn(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: ProxyFault,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk); // no encoding is set, so these are bytes
  const body = Buffer.concat(chunks);
  const { host: _, ...headers } = request.headers;
  const { method = "GET", url = "/" } = request;
  const onward = sendRequest(new URL(url, target), { method, headers });
  onward.on("error", () => response.destroy());
  onward.on("response", (answer) => {
    if (fault === "lose") return answer.resume().on("end", () => response.destroy());
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    return answer.pipe(response);
  });
  if (fault !== "half" || body.length < 2) return void onward.end(body);
  onward.write(body.subarray(0, body.length / 2), () => {
    onward.destroy();
    response.destroy();
  });
}

async function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(port, "127.0.0.1", resolve);
  await promise;
  return (server.address() as AddressInfo).port; // a TCP server that listens has one
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}
