import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { z } from "zod";

/** The two eras of the protocol, as the client is told of them. */
export const eras = [
  { era: "2025-11-25 (with a handshake)", mode: "legacy" },
  { era: "2026-07-28 (stateless)", mode: { pin: "2026-07-28" } },
] as const;

export interface ConnectedClient extends AsyncDisposable {
  readonly client: Client;
  /** A tool's structured result. Throws with the text of one that is an error. */
  call(name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The text of a tool's refusal. Throws when there is none. */
  refusal(name: string, args?: Record<string, unknown>): Promise<string>;
}

const structured = z.record(z.string(), z.unknown());

/** An unmodified MCP client, connected with these headers. */
export async function connectClient(
  url: string,
  headers: Record<string, string>,
  mode: (typeof eras)[number]["mode"],
): Promise<ConnectedClient> {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  const answer = async (name: string, args: Record<string, unknown>) => {
    const result = await client.callTool({ name, arguments: args });
    const [block] = result.content;
    return { result, text: block?.type === "text" ? block.text : "" };
  };
  return {
    client,
    async call(name, args = {}) {
      const { result, text } = await answer(name, args);
      if (result.isError === true) throw new Error(text);
      return structured.parse(result.structuredContent);
    },
    async refusal(name, args = {}) {
      const { result, text } = await answer(name, args);
      if (result.isError !== true) throw new Error(`${name} was not refused: ${text}`);
      return text;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
