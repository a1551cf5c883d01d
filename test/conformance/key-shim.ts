import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** What stands between the suites, which can send no credentials, and a gateway that asks for them. */
export interface KeyShim extends AsyncDisposable {
  readonly url: string;
}

/**
 * Passes every request on to `target` with the key added, and changes nothing else: `Host` and `Origin` arrive as they
 * were sent, a client that leaves is followed by the gateway's connection.
 */
export async function startKeyShim(target: string, key: string): Promise<KeyShim> {
  const { port: targetPort, hostname, pathname } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${key}` };
    const path = incoming.url === "/mcp" ? pathname : (incoming.url ?? "/");
    const call = request({ hostname, port: targetPort, path, method: incoming.method, headers, agent: false });
    call.on("response", (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      outgoing.flushHeaders();
      response.pipe(outgoing);
      response.on("error", () => outgoing.destroy());
    });
    call.on("error", () => outgoing.destroy());
    outgoing.on("close", () => call.destroy());
    incoming.pipe(call);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
