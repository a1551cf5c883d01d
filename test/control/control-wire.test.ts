import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { createAdaptorServer } from "@hono/node-server";
import { expect, test } from "vitest";
import { adminToken, openControlPlane } from "./control-plane.ts";

/** Sends bytes as they are, which no client library would, and gives all that comes back. */
async function exchange(request: string): Promise<string> {
  await using plane = await openControlPlane();
  const server = createAdaptorServer({ fetch: plane.app.fetch });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const socket = connect(port, "127.0.0.1");
    socket.write(request);
    return await text(socket);
  } finally {
    server.close();
  }
}

const token = `Authorization: Bearer ${adminToken}\r\n`;

test.each([
  {
    name: "a target of another host behind an allowed Host header",
    request: `GET http://evil.com/api/v1/teams HTTP/1.1\r\nHost: localhost\r\n${token}`,
    status: 403,
  },
  {
    name: "two Host headers, the second one foreign",
    request: `GET /api/v1/teams HTTP/1.1\r\nHost: localhost\r\nHost: evil.com\r\n${token}`,
    status: 403,
  },
  {
    name: "a path that looks like a host",
    request: `GET //evil.com/api/v1/teams HTTP/1.1\r\nHost: localhost\r\n${token}`,
    status: 404,
  },
  {
    name: "broken percent-encoding in a name",
    request: `GET /api/v1/teams/%E0%A4%A HTTP/1.1\r\nHost: localhost\r\n${token}`,
    status: 404,
  },
  {
    name: "a declared length beyond the limit, of which little comes",
    request: `POST /api/v1/teams HTTP/1.1\r\nHost: localhost\r\n${token}Content-Type: application/json\r\nContent-Length: 99999999\r\n`,
    status: 413,
  },
])("$name is answered $status on a real socket", async ({ request, status }) => {
  const answer = await exchange(`${request}Connection: close\r\n\r\n`);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toMatch(/^x-request-id: [0-9a-f-]{36}\r$/m);
  expect(answer).toContain('"code":"');
});
