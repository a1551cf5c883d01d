import { createServer } from "node:http";
import { Pool } from "undici";
import { announcePort } from "./announce-port.ts";

// The least that a proxy in Node can do: what Gatehouse is measured against. Reads the request, sends it on, pipes the
// answer back; looks at nothing. The bare MCP relay is the same process, for to it JSON-RPC is a body like any other.

const upstream = new Pool(process.argv[2] ?? "", { pipelining: 1, keepAliveTimeout: 30_000 });

const server = createServer({ noDelay: true, keepAliveTimeout: 75_000 }, (incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const { host: _host, connection: _connection, ...headers } = incoming.headers;
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    upstream.dispatch(
      { method: "POST", path: incoming.url ?? "/", headers, body: body ?? null },
      {
        onRequestStart: () => {},
        onResponseStart(_controller, status, answerHeaders) {
          outgoing.writeHead(status, withoutHops(answerHeaders));
        },
        onResponseData: (_controller, chunk) => void outgoing.write(chunk),
        onResponseEnd: () => void outgoing.end(),
        onResponseError: () => void outgoing.destroy(),
      },
    );
  });
});

function withoutHops(headers: Record<string, string | string[] | undefined>): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && name !== "transfer-encoding" && name !== "connection") kept[name] = value;
  }
  return kept;
}

announcePort(server);
