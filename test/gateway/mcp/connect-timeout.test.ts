import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import { publishServer, rpcOf, toolCall } from "./published-server.ts";

test("an MCP server that takes connections and never finishes the handshake is told as out of reach after the connect timeout", async () => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => void sockets.push(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
  await once(mute, "listening");
  const { port } = mute.address() as AddressInfo; // a TCP server that listens has one
  await using gatehouse = await startTestGatehouse();
  const server = await publishServer(gatehouse, "mute", `https://127.0.0.1:${port}/mcp`, {
    upstream: { timeouts: { connectMs: 200, firstByteMs: 60_000 } },
  });
  const startedAt = performance.now();
  const answer = await server.post(toolCall("legacy", 1, "echo"));
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect([answer.status, rpcOf(answer).id, rpcOf(answer).error?.code]).toEqual([502, 1, 1_502]);
  const rows = (await gatehouse.events()).filter(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
  expect(rows.map(({ error_code }) => error_code)).toEqual(["upstream.unreachable", "upstream.unreachable"]);
  for (const socket of sockets) socket.destroy();
  mute.close();
});
