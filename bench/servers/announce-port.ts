import type { Server } from "node:net";

/** Listens on a free loopback port and says which, as one line of JSON on the standard output. */
export function announcePort(server: Server): void {
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1_024 }, () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    process.stdout.write(`${JSON.stringify({ port })}\n`);
  });
}
