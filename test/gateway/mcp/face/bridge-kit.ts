import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { McpEra } from "../../../../src/mcp/wire/legacy.ts";
import type { FixtureServer } from "../../../conformance/fixture-server.ts";
import { startFixtureServer } from "../../../conformance/fixture-server.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import type { PublishedServer } from "../published-server.ts";
import { publishServer } from "../published-server.ts";

/** A gateway, a server of one era behind it, and clients of either. */
export interface Bridge extends AsyncDisposable {
  readonly gatehouse: TestGatehouse;
  readonly fixture: FixtureServer;
  readonly server: PublishedServer;
  /** An unmodified client that answers samples, forms and roots, unless told what it can. */
  client(era: McpEra, options?: ClientOptions): Promise<Client>;
}

export interface ClientOptions {
  readonly capabilities?: Readonly<Record<string, object>>;
  readonly key?: string;
  readonly name?: string;
}

const all = { sampling: {}, elicitation: {}, roots: {} };

/** Starts them; `upstream` is what the published server says of it beside the address. */
export async function startBridge(era: McpEra, upstream: object = {}): Promise<Bridge> {
  const fixture = await startFixtureServer({ era });
  const gatehouse = await startTestGatehouse();
  const server = await publishServer(gatehouse, "bridged", fixture.url, { upstream });
  const open: Client[] = [];
  return {
    gatehouse,
    fixture,
    server,
    async client(clientEra, { capabilities = all, key = server.key, name = "bridge-client" } = {}) {
      const mode = clientEra === "legacy" ? ("legacy" as const) : { pin: "2026-07-28" };
      const client = new Client({ name, version: "1.0.0" }, { capabilities, versionNegotiation: { mode } });
      answerAll(client, capabilities);
      const headers = { authorization: `Bearer ${key}` };
      await client.connect(new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers } }));
      open.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of open) await client.close();
      await gatehouse[Symbol.asyncDispose]();
      await fixture[Symbol.asyncDispose]();
    },
  };
}

function answerAll(client: Client, capabilities: Readonly<Record<string, object>>): void {
  if (capabilities["sampling"] !== undefined) {
    client.setRequestHandler("sampling/createMessage", () => ({
      model: "m",
      role: "assistant",
      content: { type: "text", text: "Paris" },
    }));
  }
  if (capabilities["elicitation"] !== undefined) {
    client.setRequestHandler("elicitation/create", () => ({
      action: "accept",
      content: { name: "Ada", username: "ada", email: "ada@example.com", ok: true, color: "green" },
    }));
  }
  if (capabilities["roots"] !== undefined) {
    client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///work", name: "work" }] }));
  }
}
