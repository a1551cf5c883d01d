import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { McpEra } from "../../../../src/mcp/wire/legacy.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { keyFor } from "../published-server.ts";

/** A virtual server as its callers reach it. */
export interface PublishedVirtual {
  readonly url: string;
  readonly key: string;
}

/** Publishes a virtual server at `/{name}`, with a key for it. */
export async function publishVirtual(
  gatehouse: TestGatehouse,
  name: string,
  virtual: object,
  spec: object = {},
): Promise<PublishedVirtual> {
  await gatehouse.put("McpServer", name, { context: `/${name}`, virtual, ...spec });
  return { url: `${gatehouse.running.gatewayUrl}/${name}/mcp`, key: await keyFor(gatehouse, name) };
}

/** An unmodified client of that era, which answers samples and forms. */
export async function connect({ url, key }: PublishedVirtual, era: McpEra): Promise<Client> {
  const mode = era === "legacy" ? ("legacy" as const) : { pin: "2026-07-28" };
  const capabilities = { sampling: {}, elicitation: {} };
  const client = new Client(
    { name: "virtual-client", version: "1.0.0" },
    { capabilities, versionNegotiation: { mode } },
  );
  client.setRequestHandler("sampling/createMessage", () => ({
    model: "m",
    role: "assistant",
    content: { type: "text", text: "Paris" },
  }));
  client.setRequestHandler("elicitation/create", () => ({
    action: "accept",
    content: { name: "Ada", username: "ada", email: "ada@example.com", ok: true, color: "green" },
  }));
  const headers = { authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}
